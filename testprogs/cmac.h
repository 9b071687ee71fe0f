/* AES-128-CMAC, RFC 4493: the MAC of a REPORT (SDM vol. 3D, EREPORT). */
#ifndef CMAC_H
#define CMAC_H

#include <stddef.h>
#include <stdint.h>

void cmac(const uint8_t key[16], const void *message, size_t length, uint8_t mac[16]);

#endif
