#include "text.h"

/* Memory is asked for in whole pages, so that whoever else grows it gets others. */
static uintptr_t next, end;

void *allocate(size_t size, size_t align) {
    const size_t page = 65536;
    uintptr_t place = (next + align - 1) & ~(uintptr_t)(align - 1);
    if (next == 0 || place + size > end || place + size < place) {
        size_t pages = size / page + 1;
        size_t before = __builtin_wasm_memory_grow(0, pages);
        if (before == (size_t)-1) {
            __builtin_trap();
        }
        place = before * page;
        end = place + pages * page;
    }
    next = place + size;
    return (void *)place;
}

static void copy(char *to, const char *from, size_t length) {
    for (size_t i = 0; i < length; i++) {
        to[i] = from[i];
    }
}

/* smcp asks for memory for what it hands over. */
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    char *fresh = allocate(size, align);
    copy(fresh, old, old_size < size ? old_size : size);
    return fresh;
}

bool equal(smcp_string one, smcp_string other) {
    if (one.length != other.length) {
        return false;
    }
    for (size_t i = 0; i < one.length; i++) {
        if (one.bytes[i] != other.bytes[i]) {
            return false;
        }
    }
    return true;
}

smcp_string join(const smcp_string *parts, size_t count) {
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        length += parts[i].length;
    }
    char *bytes = allocate(length, 1);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        copy(bytes + at, parts[i].bytes, parts[i].length);
        at += parts[i].length;
    }
    return (smcp_string){bytes, length};
}

smcp_string number(size_t value) {
    char *digits = allocate(10, 1);
    size_t at = 10;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return (smcp_string){digits + at, 10 - at};
}

reader reader_of(smcp_string json) { return (reader){json.bytes, json.bytes + json.length}; }

static void blanks(reader *json) {
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' || *json->at == '\t')) {
        json->at++;
    }
}

bool takes(reader *json, char wanted) {
    blanks(json);
    if (json->at == json->end || *json->at != wanted) {
        return false;
    }
    json->at++;
    return true;
}

bool takes_plain(reader *json, smcp_string *found) {
    if (!takes(json, '"')) {
        return false;
    }
    const char *begin = json->at;
    while (json->at < json->end && *json->at != '"' && *json->at != '\\') {
        json->at++;
    }
    *found = (smcp_string){begin, (size_t)(json->at - begin)};
    return takes(json, '"');
}

bool skips(reader *json) {
    size_t depth = 0;
    do {
        blanks(json);
        if (json->at == json->end) {
            return false;
        }
        char first = *json->at++;
        if (first == '{' || first == '[') {
            depth++;
        } else if (first == '}' || first == ']') {
            depth--;
        } else if (first == '"') {
            while (json->at < json->end && *json->at != '"') {
                json->at += *json->at == '\\' ? 2 : 1;
            }
            json->at++;
        } else if (first != ',' && first != ':') {
            while (json->at < json->end && *json->at != ',' && *json->at != '}' && *json->at != ']') {
                json->at++;
            }
        }
    } while (depth > 0);
    return json->at <= json->end;
}

bool at_end(reader *json) {
    blanks(json);
    return json->at == json->end;
}
