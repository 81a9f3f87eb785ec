#pragma once
// First, because net-snmp asks for GNU's extensions, and system headers seen with and without them are two
// different modules to the compiler.
#include <stdlib.h>
#include <sys/select.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

// Macros that are expressions.
static const int flinch_snmp_trap = SNMP_MSG_TRAP2;
static const int flinch_snmp_inform = SNMP_MSG_INFORM;
static const unsigned char flinch_snmp_unsigned = ASN_UNSIGNED;
static const unsigned char flinch_snmp_timeticks = ASN_TIMETICKS;

// Identifiers of protocols, of ten parts each: arrays that anybody could change, to the Swift compiler.
static inline oid *flinch_snmp_sha(void) { return usmHMACSHA1AuthProtocol; }
static inline oid *flinch_snmp_sha256(void) { return usmHMAC192SHA256AuthProtocol; }
static inline oid *flinch_snmp_sha512(void) { return usmHMAC384SHA512AuthProtocol; }
static inline oid *flinch_snmp_aes(void) { return usmAESPrivProtocol; }
