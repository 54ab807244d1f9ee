/* Refuses servers that ask for network hosts other than the allowed ones. */

#include "text.h"

#define SCHEMA \
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"properties\":{\"allow\":" \
    "{\"description\":\"The hosts that a server may ask for.\",\"type\":\"array\",\"items\":{\"type\":\"string\"," \
    "\"pattern\":\"^[^\\\"\\\\\\\\]*$\"},\"default\":[]}},\"additionalProperties\":false}"

const smcp_description *smcp_describe(void) {
    static smcp_description description;
    description = (smcp_description){
        TEXT("my-policy"),
        TEXT("0.1.0"),
        TEXT("Refuses servers that ask for network hosts other than the allowed ones."),
        TEXT(SCHEMA),
        SMCP_NOTIFY,
    };
    return &description;
}

/* Reads {"allow": ["HOST", …]}, or {}. Returns the first problem with its JSON pointer, or one without a message. */
static smcp_problem read(smcp_string settings, smcp_strings *allow) {
    const smcp_problem none = {TEXT(""), TEXT("")};
    const smcp_problem shape = {TEXT(""), TEXT("allowed is an object with the key `allow`, a list of hosts, and no other")};
    reader json = reader_of(settings);
    smcp_string key, host;
    *allow = (smcp_strings){0, 0};
    if (!takes(&json, '{')) {
        return shape;
    }
    if (takes(&json, '}')) {
        return none;
    }
    if (!takes_plain(&json, &key) || !equal(key, TEXT("allow")) || !takes(&json, ':')) {
        return shape;
    }
    reader value = json;
    if (!skips(&json) || !takes(&json, '}') || !at_end(&json)) {
        return shape;
    }
    if (!takes(&value, '[')) {
        return (smcp_problem){TEXT("/allow"), TEXT("allowed is a list of hosts")};
    }
    /* Each host takes three bytes and more of the settings. */
    smcp_string *hosts = allocate(settings.length * sizeof(smcp_string), _Alignof(smcp_string));
    size_t count = 0;
    while (!takes(&value, ']')) {
        if ((count > 0 && !takes(&value, ',')) || !takes_plain(&value, &host)) {
            return (smcp_problem){JOIN(TEXT("/allow/"), number(count)),
                                  TEXT("a host is a text, without quotes or backslashes")};
        }
        hosts[count++] = host;
    }
    *allow = (smcp_strings){hosts, count};
    return none;
}

const smcp_checked *smcp_check_settings(const char *settings, size_t length) {
    static smcp_problem found;
    static smcp_checked checked;
    smcp_strings allow;
    found = read((smcp_string){settings, length}, &allow);
    checked = (smcp_checked){found.message.length > 0, {&found, 1}};
    return &checked;
}

static const smcp_verdict *allowed(void) {
    static const smcp_verdict verdict;
    return &verdict;
}

static const smcp_verdict *violation(smcp_string code, smcp_string message, smcp_option_string remedy) {
    static smcp_finding finding;
    static smcp_verdict verdict;
    finding = (smcp_finding){code, message, SOME("permissions.network"), remedy, {0, 0}};
    verdict = (smcp_verdict){{&finding, 1}, {0, 0}};
    return &verdict;
}

const smcp_verdict *smcp_evaluate(const smcp_request *request) {
    if (!request->subject.permissions.is_some) {
        /* What is not known is not allowed. */
        return violation(TEXT("network-unknown"), TEXT("what the server asks of the network is unknown"),
                         SOME("use a package whose manifest declares its permissions"));
    }
    smcp_strings asked = request->subject.permissions.value.network, allow;
    smcp_string line = JOIN(TEXT("hosts asked for: "), number(asked.length));
    smcp_log(SMCP_DEBUG, line.bytes, line.length);
    if (read(request->settings, &allow).message.length > 0) {
        __builtin_trap(); /* Settings that check-settings refuses. */
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
    if (refused == 0) {
        return allowed();
    }
    smcp_string message =
        refused == 1 ? JOIN(TEXT("the server asks for "), first, TEXT(", which is not allowed"))
                     : JOIN(TEXT("the server asks for "), first, TEXT(" and "), number(refused - 1),
                            TEXT(" more hosts that are not allowed"));
    return violation(TEXT("host-not-allowed"), message, SOME("add the host to `allow`, if you trust it"));
}
