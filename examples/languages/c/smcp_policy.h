/* The world `policy` of wit/policy.wit for C, as the canonical ABI lays it out on 32 bits. Needs no C library.
 *
 * A record is a struct with the same fields in the same order. A list is a place and a number of elements, a string
 * the same in bytes, and not ended by a zero. What comes in lies in memory that cabi_realloc gave; what goes out must
 * stay where it is until the call has returned. Nothing needs to be freed: every call has an instance of its own. */

#ifndef SMCP_POLICY_H
#define SMCP_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { const char *bytes; size_t length; } smcp_string;
typedef struct { const smcp_string *items; size_t length; } smcp_strings;
typedef struct { smcp_string name, value; } smcp_extension;
typedef struct { const smcp_extension *items; size_t length; } smcp_extensions;

/* `value` counts only when `is_some`; otherwise it is not known. */
typedef struct { bool is_some; smcp_string value; } smcp_option_string;
typedef struct { bool is_some; uint8_t value; } smcp_option_u8;

typedef enum { SMCP_OFFICIAL, SMCP_VERIFIED, SMCP_COMMUNITY, SMCP_OTHER } smcp_origin_kind;
typedef struct { uint8_t kind; smcp_string other; } smcp_origin;
typedef struct { uint32_t critical, high, medium, low; } smcp_severity_counts;
typedef struct { smcp_string command; smcp_strings args; } smcp_entrypoint;
typedef struct {
    smcp_strings network, filesystem_read, filesystem_write, environment;
    bool subprocess;
} smcp_permissions;

typedef struct {
    smcp_string org, name, version;
    smcp_option_string registry, status;
    struct { bool is_some; smcp_origin value; } origin;
    smcp_option_u8 cert_level, score, security_score, supply_chain_score, maturity_score;
    struct { bool is_some; smcp_severity_counts value; } findings;
    smcp_option_string manifest_digest, bundle_digest, git_sha, transport;
    struct { bool is_some; smcp_entrypoint value; } entrypoint;
    struct { bool is_some; smcp_permissions value; } permissions;
    smcp_option_string manifest;
} smcp_subject;

typedef struct { uint64_t evaluated_at; bool trust, interactive; smcp_string tool_version; } smcp_context;

/* The arguments of evaluate. */
typedef struct {
    smcp_subject subject;
    smcp_context context;
    smcp_extensions extensions;
    smcp_string settings;
} smcp_request;

typedef struct {
    smcp_string code, message;
    smcp_option_string fact, remedy;
    smcp_extensions extensions;
} smcp_finding;
typedef struct { const smcp_finding *items; size_t length; } smcp_findings;
typedef struct { smcp_findings violations, notices; } smcp_verdict;

typedef enum { SMCP_NOTIFY, SMCP_CONFIRM } smcp_on_warn;
typedef struct { smcp_string name, version, summary, settings_schema; uint8_t on_warn; } smcp_description;

typedef struct { smcp_string path, message; } smcp_problem;
typedef struct { bool is_err; struct { const smcp_problem *items; size_t length; } problems; } smcp_checked;

/* A struct that has another layout than the interface says would read one fact as another. */
_Static_assert(sizeof(smcp_subject) == 216 && sizeof(smcp_context) == 24, "the layout of the request");
_Static_assert(sizeof(smcp_request) == 256 && offsetof(smcp_request, settings) == 248, "the layout of the request");
_Static_assert(sizeof(smcp_finding) == 48 && sizeof(smcp_verdict) == 16, "the layout of the verdict");
_Static_assert(sizeof(smcp_description) == 36 && sizeof(smcp_checked) == 12, "the layout of the answers");

typedef enum { SMCP_DEBUG, SMCP_INFO, SMCP_WARN, SMCP_ERROR } smcp_level;

/* The only thing that a policy may import. */
__attribute__((import_module("smcp:policy/logging@0.1.0"), import_name("log")))
void smcp_log(int32_t level, const char *bytes, size_t length);

/* What a policy has to define. */
__attribute__((export_name("smcp:policy/evaluator@0.1.0#describe")))
const smcp_description *smcp_describe(void);

__attribute__((export_name("smcp:policy/evaluator@0.1.0#check-settings")))
const smcp_checked *smcp_check_settings(const char *settings, size_t length);

__attribute__((export_name("smcp:policy/evaluator@0.1.0#evaluate")))
const smcp_verdict *smcp_evaluate(const smcp_request *request);

__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size);

#endif
