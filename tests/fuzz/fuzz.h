/* What each target gives: one function for libFuzzer, and seeds to start from. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
void fuzz_seeds(void (*give)(const void *p, size_t n));

/* The program is wrong: say what, and end. */
#define FUZZ_CHECK(x)                                                                              \
    do {                                                                                           \
        if (!(x))                                                                                  \
            __builtin_trap();                                                                      \
    } while (0)

#endif
