// A policy in Go: refuses servers that ask for network hosts other than the listed ones.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const schema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":` +
	`{"allow":{"type":"array","items":{"type":"string","pattern":"^[^\"\\\\\\x00-\\x1f]+$"}}},` +
	`"required":["allow"],"additionalProperties":false}`

// main is never called: a policy is a library.
func main() {}

func describe() *description {
	return &description{
		name:           textOf("allowed-hosts"),
		version:        textOf("0.1.0"),
		summary:        textOf("Refuses servers that ask for network hosts other than the listed ones."),
		settingsSchema: textOf(schema),
		onWarn:         0,
	}
}

// read returns the hosts of the settings, or the first problem.
func read(settings string) ([]string, *problem) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(settings), &keys); err != nil || len(keys) != 1 || keys["allow"] == nil {
		return nil, wrong("", "the key `allow` is needed, and no other is known")
	}
	var items []json.RawMessage
	if !bytes.HasPrefix(keys["allow"], []byte("[")) || json.Unmarshal(keys["allow"], &items) != nil {
		return nil, wrong("/allow", "a list of hosts is needed")
	}
	allow := make([]string, len(items))
	for index, item := range items {
		isText := bytes.HasPrefix(item, []byte(`"`)) && json.Unmarshal(item, &allow[index]) == nil
		isBad := func(char rune) bool { return char < ' ' || char == '"' || char == '\\' }
		if !isText || allow[index] == "" || strings.ContainsFunc(allow[index], isBad) {
			path := fmt.Sprintf("/allow/%d", index)
			return nil, wrong(path, "a host is a text, not empty, without quotes or backslashes")
		}
	}
	return allow, nil
}

func wrong(path, message string) *problem {
	return &problem{path: textOf(path), message: textOf(message)}
}

func checkSettings(settings string) *problem {
	_, found := read(settings)
	return found
}

func of(code, message string) finding {
	return finding{code: textOf(code), message: textOf(message), fact: some("permissions.network")}
}

func evaluate(request *request, settings string) *verdict {
	if !request.subject.permissions.isSome {
		unknown := of("network-unknown", "what the server asks of the network is unknown")
		unknown.remedy = some("use a package whose manifest declares its permissions")
		return &verdict{violations: listOf([]finding{unknown})}
	}
	asked := request.subject.permissions.value.network.strings()
	log(fmt.Sprintf("hosts asked for: %d", len(asked)))
	if len(asked) == 0 {
		return &verdict{}
	}
	allow, found := read(settings)
	if found != nil {
		panic("settings that check-settings refuses")
	}
	refused := slices.DeleteFunc(slices.Clone(asked), func(host string) bool { return slices.Contains(allow, host) })
	notice := of("network-asked", fmt.Sprintf("hosts asked for: %d, refused: %d", len(asked), len(refused)))
	answer := &verdict{notices: listOf([]finding{notice})}
	if len(refused) > 0 {
		message := fmt.Sprintf("the server asks for %s, which is not allowed", refused[0])
		if more := len(refused) - 1; more > 0 {
			message = fmt.Sprintf("the server asks for %s and %d more hosts that are not allowed", refused[0], more)
		}
		violation := of("host-not-allowed", message)
		violation.remedy = some("add the host to `allow`, if you trust it")
		answer.violations = listOf([]finding{violation})
	}
	return answer
}
