#include "CBaseline.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <string.h>

static uint16_t load16(const uint8_t *p) {
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return ntohs(value);
}

static uint32_t load32(const uint8_t *p) {
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return ntohl(value);
}

static uint64_t load64(const uint8_t *p) {
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return be64toh(value);
}

static int transport(const uint8_t *bytes, size_t at, size_t end, struct baseline_packet *packet) {
    packet->transport_offset = (uint32_t)at;
    size_t header = 0;
    if (packet->fragment_offset == 0) {
        switch (packet->protocol) {
        case IPPROTO_TCP:
            if (end - at < 20) return 0;
            header = (size_t)(bytes[at + 12] >> 4) * 4;
            if (header < 20 || header > end - at) return 0;
            packet->source_port = load16(bytes + at);
            packet->destination_port = load16(bytes + at + 2);
            packet->flags = bytes[at + 13];
            break;
        case IPPROTO_UDP:
            header = 8;
            if (end - at < header || load16(bytes + at + 4) < header) return 0;
            packet->source_port = load16(bytes + at);
            packet->destination_port = load16(bytes + at + 2);
            break;
        case IPPROTO_ICMP:
        case IPPROTO_ICMPV6:
            header = 8;
            if (end - at < header) return 0;
            packet->icmp_type = bytes[at];
            packet->icmp_code = bytes[at + 1];
            break;
        }
    }
    packet->payload_offset = (uint32_t)(at + header);
    packet->payload_length = (uint32_t)(end - at - header);
    return 1;
}

static int decode4(const uint8_t *bytes, size_t size, struct baseline_packet *packet) {
    if (size < 20) return 0;
    size_t header = (size_t)(bytes[0] & 15) * 4, length = load16(bytes + 2);
    if (header < 20 || header > size || length < header || length > size) return 0;
    uint16_t fragment = load16(bytes + 6);
    packet->version = 4;
    packet->ether_type = 0x0800;
    packet->stated_length = (uint32_t)length;
    packet->fragment_offset = (uint16_t)((fragment & 0x1fff) * 8);
    packet->more_fragments = (fragment & 0x2000) != 0;
    packet->hop_limit = bytes[8];
    packet->protocol = bytes[9];
    packet->source_low = 0xffff00000000u | load32(bytes + 12);
    packet->destination_low = 0xffff00000000u | load32(bytes + 16);
    return transport(bytes, header, length, packet);
}

static int decode6(const uint8_t *bytes, size_t size, struct baseline_packet *packet) {
    if (size < 40) return 0;
    size_t at = 40, end = 40 + (size_t)load16(bytes + 4);
    if (end > size) return 0;
    packet->version = 6;
    packet->ether_type = 0x86dd;
    packet->stated_length = (uint32_t)end;
    packet->hop_limit = bytes[7];
    packet->source_high = load64(bytes + 8);
    packet->source_low = load64(bytes + 16);
    packet->destination_high = load64(bytes + 24);
    packet->destination_low = load64(bytes + 32);
    uint8_t next = bytes[6];
    for (int headers = 0; headers < 8; headers++) {
        if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
            next != IPPROTO_FRAGMENT)
            break;
        if (end - at < 8) return 0;
        size_t length = 8;
        if (next == IPPROTO_FRAGMENT) {
            uint16_t fragment = load16(bytes + at + 2);
            packet->fragment_offset = fragment & 0xfff8;
            packet->more_fragments = fragment & 1;
        } else {
            length += (size_t)bytes[at + 1] * 8;
        }
        if (length > end - at) return 0;
        next = bytes[at];
        at += length;
    }
    packet->protocol = next;
    return transport(bytes, at, end, packet);
}

int baseline_decode(const uint8_t *bytes, size_t size, struct baseline_packet *packet) {
    memset(packet, 0, sizeof *packet);
    if (size == 0) return 0;
    switch (bytes[0] >> 4) {
    case 4: return decode4(bytes, size, packet);
    case 6: return decode6(bytes, size, packet);
    default: return 0;
    }
}
