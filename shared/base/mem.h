/* Memory that is there: running out ends the process (it is restarted; nothing acknowledged is
 * lost, since only what is durable is acknowledged). */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n);            /* n bytes, zeroed; n may be 0; never NULL */
void *mem_realloc(void *p, size_t n); /* p may be NULL; what is new is not zeroed; never NULL */
char *mem_strdup(const char *s);      /* a copy of the text */
char *mem_strndup(const char *s, size_t n); /* of n bytes, and a NUL behind */
void mem_free(void *p);                     /* what the others gave, or NULL */

#endif
