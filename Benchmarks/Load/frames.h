// What all that send frames of their own making have in common.
#pragma once

#include <net/ethernet.h>
#include <stddef.h>
#include <stdint.h>

// Adds 16-bit words in network order (RFC 1071), to be folded into a checksum in network order.
uint32_t sum(uint32_t so_far, const void *bytes, size_t size);
uint16_t folded(uint32_t sum);

// 1 if the text is a hardware address, which is then in `mac`.
int read_mac(const char *text, uint8_t mac[6]);

// An IPv4 frame to `mac`, from 02:00:00:00:00:01.
void address_frame(struct ether_header *header, const uint8_t mac[6]);

// A socket that sends into an interface past its queueing discipline; ends the program if there is none to be had.
int packet_socket(const char *interface);
