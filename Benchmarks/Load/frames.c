#include "load.h"
#include "frames.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

uint32_t sum(uint32_t so_far, const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    for (size_t i = 0; i + 1 < size; i += 2) so_far += (uint32_t)p[i] << 8 | p[i + 1];
    return size & 1 ? so_far + ((uint32_t)p[size - 1] << 8) : so_far;
}

uint16_t folded(uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

int read_mac(const char *text, uint8_t mac[6]) {
    return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) == 6;
}

void address_frame(struct ether_header *header, const uint8_t mac[6]) {
    memcpy(header->ether_dhost, mac, 6);
    header->ether_shost[0] = 2;
    header->ether_shost[5] = 1;
    header->ether_type = htons(ETHERTYPE_IP);
}

int packet_socket(const char *interface) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0) fail("packet socket");
    if (link.sll_ifindex == 0 || bind(fd, (void *)&link, sizeof link)) fail(interface);
    int one = 1;
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one)) fail("PACKET_QDISC_BYPASS");
    return fd;
}
