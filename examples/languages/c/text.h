/* What it takes to read settings and to write messages without a C library: memory, texts, JSON. */

#ifndef TEXT_H
#define TEXT_H

#include "smcp_policy.h"

#define TEXT(literal) ((smcp_string){literal, sizeof(literal) - 1})
#define SOME(literal) ((smcp_option_string){true, TEXT(literal)})

/* Memory that is never given back: an instance lives for one call. Traps when there is none. */
void *allocate(size_t size, size_t align);

bool equal(smcp_string one, smcp_string other);

/* Texts are put together from parts; a part is a text or a number. */
smcp_string join(const smcp_string *parts, size_t count);
smcp_string number(size_t value);
#define JOIN(...) join((const smcp_string[]){__VA_ARGS__}, sizeof((smcp_string[]){__VA_ARGS__}) / sizeof(smcp_string))

/* A place in a JSON text. smcp promises that settings are valid JSON. */
typedef struct { const char *at, *end; } reader;

reader reader_of(smcp_string json);
/* Goes over a character of JSON's own, such as `{` or `,`, if it is the next one. */
bool takes(reader *json, char wanted);
/* Reads a text without escapes, which is what names of hosts are. */
bool takes_plain(reader *json, smcp_string *found);
/* Goes over a value of any kind. */
bool skips(reader *json);
/* Whether nothing is left. */
bool at_end(reader *json);

#endif
