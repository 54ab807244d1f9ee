/* A policy in C: refuses servers that ask for network hosts other than the listed ones. */

#include "smcp_policy.h"

/* Where there is a C library, it can be used: what it asks of WASI is stubbed, and what it writes is dropped. */
#ifdef __wasi__
#include <stdio.h>
#include <stdlib.h>
static _Noreturn void fail(const char *why) {
    fprintf(stderr, "allowed-hosts: %s\n", why);
    abort();
}
#else
#define fail(why) __builtin_trap()
#endif

#define TEXT(literal) ((smcp_string){literal, sizeof(literal) - 1})
#define SOME(literal) ((smcp_option_string){true, TEXT(literal)})

/* Memory that is never given back: an instance lives for one call. It is asked for in whole pages, so that whoever else
 * grows the memory, such as a C library, gets others. */

static uintptr_t next, end;

static void *allocate(size_t size, size_t align) {
    const size_t page = 65536;
    uintptr_t place = (next + align - 1) & ~(uintptr_t)(align - 1);
    if (next == 0 || place + size > end || place + size < place) {
        size_t pages = size / page + 1;
        size_t before = __builtin_wasm_memory_grow(0, pages);
        if (before == (size_t)-1) {
            fail("no memory");
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

void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    char *fresh = allocate(size, align);
    copy(fresh, old, old_size < size ? old_size : size);
    return fresh;
}

static bool equal(smcp_string one, smcp_string other) {
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

/* Texts are put together from parts; a part is a text or a number. */

static smcp_string join(const smcp_string *parts, size_t count) {
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

#define JOIN(...) join((const smcp_string[]){__VA_ARGS__}, sizeof((smcp_string[]){__VA_ARGS__}) / sizeof(smcp_string))

static smcp_string number(size_t value) {
    char *digits = allocate(10, 1);
    size_t at = 10;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return (smcp_string){digits + at, 10 - at};
}

/* The settings: {"allow": ["HOST", …]}. smcp promises valid JSON; everything else that is not this is a problem. */

typedef struct { const char *at, *end; } reader;

static void blanks(reader *text) {
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n' || *text->at == '\r' || *text->at == '\t')) {
        text->at++;
    }
}

static bool takes(reader *text, char wanted) {
    blanks(text);
    if (text->at == text->end || *text->at != wanted) {
        return false;
    }
    text->at++;
    return true;
}

/* A text without escapes, which is what names of hosts are. */
static bool plain(reader *text, smcp_string *found) {
    if (!takes(text, '"')) {
        return false;
    }
    const char *begin = text->at;
    while (text->at < text->end && *text->at != '"' && *text->at != '\\') {
        text->at++;
    }
    *found = (smcp_string){begin, (size_t)(text->at - begin)};
    return takes(text, '"');
}

/* Goes over a value of any kind. */
static bool skip(reader *text) {
    size_t depth = 0;
    do {
        blanks(text);
        if (text->at == text->end) {
            return false;
        }
        char first = *text->at++;
        if (first == '{' || first == '[') {
            depth++;
        } else if (first == '}' || first == ']') {
            depth--;
        } else if (first == '"') {
            while (text->at < text->end && *text->at != '"') {
                text->at += *text->at == '\\' ? 2 : 1;
            }
            text->at++;
        } else if (first != ',' && first != ':') {
            while (text->at < text->end && *text->at != ',' && *text->at != '}' && *text->at != ']') {
                text->at++;
            }
        }
    } while (depth > 0);
    return text->at <= text->end;
}

static const smcp_string KEY = {"allow", 5};

/* Parses the settings; returns the first problem, or one without a message. */
static smcp_problem parse(smcp_string settings, smcp_strings *allow) {
    const smcp_problem shape = {TEXT(""), TEXT("the key `allow` is needed, and no other is known")};
    reader text = {settings.bytes, settings.bytes + settings.length};
    smcp_string key, host;
    if (!takes(&text, '{') || !plain(&text, &key) || !equal(key, KEY) || !takes(&text, ':')) {
        return shape;
    }
    reader value = text;
    if (!skip(&text) || !takes(&text, '}')) {
        return shape;
    }
    if (!takes(&value, '[')) {
        return (smcp_problem){TEXT("/allow"), TEXT("a list of hosts is needed")};
    }
    /* Each host takes three bytes and more of the settings. */
    smcp_string *hosts = allocate(settings.length * sizeof(smcp_string), _Alignof(smcp_string));
    size_t count = 0;
    while (!takes(&value, ']')) {
        if ((count > 0 && !takes(&value, ',')) || !plain(&value, &host) || host.length == 0) {
            return (smcp_problem){JOIN(TEXT("/allow/"), number(count)),
                                  TEXT("a host is a text, not empty, without quotes or backslashes")};
        }
        hosts[count++] = host;
    }
    *allow = (smcp_strings){hosts, count};
    return (smcp_problem){TEXT(""), TEXT("")};
}

static smcp_finding *finding(smcp_string code, smcp_string message, smcp_option_string remedy) {
    smcp_finding *made = allocate(sizeof(smcp_finding), _Alignof(smcp_finding));
    *made = (smcp_finding){code, message, SOME("permissions.network"), remedy, {0, 0}};
    return made;
}

static smcp_findings none(void) { return (smcp_findings){0, 0}; }

const smcp_description *smcp_describe(void) {
    static smcp_description description;
    description = (smcp_description){
        TEXT("allowed-hosts"),
        TEXT("0.1.0"),
        TEXT("Refuses servers that ask for network hosts other than the listed ones."),
        TEXT("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"properties\":"
             "{\"allow\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"pattern\":\"^[^\\\"\\\\\\\\\\\\x00-\\\\x1f]+$\"}}},"
             "\"required\":[\"allow\"],\"additionalProperties\":false}"),
        SMCP_NOTIFY,
    };
    return &description;
}

const smcp_checked *smcp_check_settings(const char *settings, size_t length) {
    static smcp_problem found;
    static smcp_checked checked;
    smcp_strings allow;
    found = parse((smcp_string){settings, length}, &allow);
    checked = (smcp_checked){found.message.length > 0, {&found, 1}};
    return &checked;
}

const smcp_verdict *smcp_evaluate(const smcp_request *request) {
    static smcp_verdict verdict;
    verdict = (smcp_verdict){none(), none()};
    if (!request->subject.permissions.is_some) {
        smcp_option_string remedy = SOME("use a package whose manifest declares its permissions");
        smcp_string message = TEXT("what the server asks of the network is unknown");
        verdict.violations = (smcp_findings){finding(TEXT("network-unknown"), message, remedy), 1};
        return &verdict;
    }
    smcp_strings asked = request->subject.permissions.value.network, allow = {0, 0};
    smcp_string line = JOIN(TEXT("hosts asked for: "), number(asked.length));
    smcp_log(SMCP_DEBUG, line.bytes, line.length);
    if (asked.length == 0) {
        return &verdict;
    }
    if (parse(request->settings, &allow).message.length > 0) {
        fail("settings that check-settings refuses");
    }
    size_t refused = 0;
    smcp_string first = TEXT("");
    for (size_t i = 0; i < asked.length; i++) {
        bool is_allowed = false;
        for (size_t j = 0; j < allow.length && !is_allowed; j++) {
            is_allowed = equal(asked.items[i], allow.items[j]);
        }
        if (!is_allowed && refused++ == 0) {
            first = asked.items[i];
        }
    }
    smcp_string said = JOIN(line, TEXT(", refused: "), number(refused));
    verdict.notices = (smcp_findings){finding(TEXT("network-asked"), said, (smcp_option_string){false, TEXT("")}), 1};
    if (refused > 0) {
        smcp_string message =
            refused == 1 ? JOIN(TEXT("the server asks for "), first, TEXT(", which is not allowed"))
                         : JOIN(TEXT("the server asks for "), first, TEXT(" and "), number(refused - 1),
                                TEXT(" more hosts that are not allowed"));
        smcp_option_string remedy = SOME("add the host to `allow`, if you trust it");
        verdict.violations = (smcp_findings){finding(TEXT("host-not-allowed"), message, remedy), 1};
    }
    return &verdict;
}
