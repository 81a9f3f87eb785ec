// The decoding of headers as one would write it by hand in C: what Wire is measured against.
#pragma once
#include <stddef.h>
#include <stdint.h>

// The fields that a Wire packet has. Numbers in host order, offsets in bytes; addresses as 128 bits,
// IPv4 mapped (RFC 4291 section 2.5.5.2).
struct baseline_packet {
    uint64_t source_high, source_low, destination_high, destination_low;
    uint16_t source_port, destination_port, fragment_offset, ether_type;
    uint8_t version, protocol, flags, hop_limit, icmp_type, icmp_code, more_fragments;
    uint32_t transport_offset, payload_offset, payload_length, stated_length;
};

// Decodes a packet that begins with its IP header. Returns 0 if its lengths contradict each other.
int baseline_decode(const uint8_t *bytes, size_t size, struct baseline_packet *packet);
