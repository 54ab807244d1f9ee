/* A policy in C: refuses servers that ask for network hosts other than the listed ones. */

#include "text.h"

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

/* The settings: {"allow": ["HOST", …]}. smcp promises valid JSON; everything else that is not this is a problem. */

static const smcp_string KEY = {"allow", 5};

/* Parses the settings; returns the first problem, or one without a message. */
static smcp_problem parse(smcp_string settings, smcp_strings *allow) {
    const smcp_problem shape = {TEXT(""), TEXT("the key `allow` is needed, and no other is known")};
    reader text = reader_of(settings);
    smcp_string key, host;
    if (!takes(&text, '{') || !takes_plain(&text, &key) || !equal(key, KEY) || !takes(&text, ':')) {
        return shape;
    }
    reader value = text;
    if (!skips(&text) || !takes(&text, '}')) {
        return shape;
    }
    if (!takes(&value, '[')) {
        return (smcp_problem){TEXT("/allow"), TEXT("a list of hosts is needed")};
    }
    /* Each host takes three bytes and more of the settings. */
    smcp_string *hosts = allocate(settings.length * sizeof(smcp_string), _Alignof(smcp_string));
    size_t count = 0;
    while (!takes(&value, ']')) {
        if ((count > 0 && !takes(&value, ',')) || !takes_plain(&value, &host) || host.length == 0) {
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
