// Refuses servers that ask for network hosts other than the allowed ones.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const schema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":` +
	`{"allow":{"description":"The hosts that a server may ask for.","type":"array","items":{"type":"string"},` +
	`"default":[]}},"additionalProperties":false}`

// main is never called: a policy is a library.
func main() {}

func describe() *description {
	return &description{
		name:           textOf("my-policy"),
		version:        textOf("0.1.0"),
		summary:        textOf("Refuses servers that ask for network hosts other than the allowed ones."),
		settingsSchema: textOf(schema),
		onWarn:         0,
	}
}

// read returns the hosts of the settings, or the first problem with its JSON pointer.
func read(settings string) ([]string, *problem) {
	var keys map[string]json.RawMessage
	if json.Unmarshal([]byte(settings), &keys) != nil || keys == nil {
		return nil, wrong("", "allowed is an object with the key `allow`")
	}
	for key := range keys {
		if key != "allow" {
			pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
			return nil, wrong("/"+pointer, "this key is not known; allowed is `allow`")
		}
	}
	if keys["allow"] == nil {
		return nil, nil
	}
	var items []json.RawMessage
	if !bytes.HasPrefix(keys["allow"], []byte("[")) || json.Unmarshal(keys["allow"], &items) != nil {
		return nil, wrong("/allow", "allowed is a list of hosts")
	}
	allow := make([]string, len(items))
	for index, item := range items {
		if !bytes.HasPrefix(item, []byte(`"`)) || json.Unmarshal(item, &allow[index]) != nil {
			return nil, wrong(fmt.Sprintf("/allow/%d", index), "a host is a text")
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

func violation(code, message, remedy string) *verdict {
	return &verdict{violations: listOf([]finding{{
		code:    textOf(code),
		message: textOf(message),
		fact:    some("permissions.network"),
		remedy:  some(remedy),
	}})}
}

func evaluate(request *request, settings string) *verdict {
	if !request.subject.permissions.isSome {
		// What is not known is not allowed.
		remedy := "use a package whose manifest declares its permissions"
		return violation("network-unknown", "what the server asks of the network is unknown", remedy)
	}
	allow, found := read(settings)
	if found != nil {
		panic("settings that check-settings refuses")
	}
	asked := request.subject.permissions.value.network.strings()
	log(fmt.Sprintf("hosts asked for: %d", len(asked)))
	refused := slices.DeleteFunc(asked, func(host string) bool { return slices.Contains(allow, host) })
	if len(refused) == 0 {
		return &verdict{}
	}
	message := fmt.Sprintf("the server asks for %s, which is not allowed", refused[0])
	if more := len(refused) - 1; more > 0 {
		message = fmt.Sprintf("the server asks for %s and %d more hosts that are not allowed", refused[0], more)
	}
	return violation("host-not-allowed", message, "add the host to `allow`, if you trust it")
}
