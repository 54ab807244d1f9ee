package main

// The world `policy` of wit/policy.wit for Go, as the canonical ABI lays it out on 32 bits. A record is a struct with
// the same fields in the same order; places in memory are numbers, since a pointer of Go has 64 bits there.

import (
	"structs"
	"unsafe"
)

// text is a string or a list: a place, and a number of bytes or elements.
type text struct {
	_             structs.HostLayout
	place, length uint32
}

// optional is a value that may not be known.
type optional[T any] struct {
	_      structs.HostLayout
	isSome bool
	value  T
}

type origin struct {
	_     structs.HostLayout
	kind  uint8
	other text
}

type severityCounts struct {
	_                           structs.HostLayout
	critical, high, medium, low uint32
}

type entrypoint struct {
	_             structs.HostLayout
	command, args text
}

type permissions struct {
	_                                                     structs.HostLayout
	network, filesystemRead, filesystemWrite, environment text
	subprocess                                            bool
}

type subject struct {
	_                                                                 structs.HostLayout
	org, name, version                                                text
	registry, status                                                  optional[text]
	origin                                                            optional[origin]
	certLevel, score, securityScore, supplyChainScore, maturityScore optional[uint8]
	findings                                                          optional[severityCounts]
	manifestDigest, bundleDigest, gitSha, transport                   optional[text]
	entrypoint                                                        optional[entrypoint]
	permissions                                                       optional[permissions]
	manifest                                                          optional[text]
}

type context struct {
	_                  structs.HostLayout
	evaluatedAt        uint64
	trust, interactive bool
	toolVersion        text
}

// request has the arguments of evaluate.
type request struct {
	_          structs.HostLayout
	subject    subject
	context    context
	extensions text
	settings   text
}

type finding struct {
	_             structs.HostLayout
	code, message text
	fact, remedy  optional[text]
	extensions    text
}

type verdict struct {
	_                   structs.HostLayout
	violations, notices text
}

type description struct {
	_                                      structs.HostLayout
	name, version, summary, settingsSchema text
	onWarn                                 uint8
}

type problem struct {
	_             structs.HostLayout
	path, message text
}

type checked struct {
	_        structs.HostLayout
	isErr    bool
	problems text
}

// A struct that has another layout than the interface says does not compile: its array would have another length.
var (
	_ [216]byte = [unsafe.Sizeof(subject{})]byte{}
	_ [256]byte = [unsafe.Sizeof(request{})]byte{}
	_ [48]byte  = [unsafe.Sizeof(finding{})]byte{}
	_ [36]byte  = [unsafe.Sizeof(description{})]byte{}
	_ [12]byte  = [unsafe.Sizeof(checked{})]byte{}
)

// kept holds what only smcp has a place of, so that it is not collected. An instance lives for one call.
var kept []any

func placeOf[T any](value *T) uint32 {
	kept = append(kept, value)
	return uint32(uintptr(unsafe.Pointer(value)))
}

func textOf(value string) text {
	kept = append(kept, value)
	return text{place: uint32(uintptr(unsafe.Pointer(unsafe.StringData(value)))), length: uint32(len(value))}
}

func some(value string) optional[text] {
	return optional[text]{isSome: true, value: textOf(value)}
}

func listOf[T any](values []T) text {
	kept = append(kept, values)
	return text{place: uint32(uintptr(unsafe.Pointer(unsafe.SliceData(values)))), length: uint32(len(values))}
}

func (t text) string() string {
	return unsafe.String((*byte)(unsafe.Pointer(uintptr(t.place))), t.length)
}

// strings reads a list of strings.
func (t text) strings() []string {
	texts := unsafe.Slice((*text)(unsafe.Pointer(uintptr(t.place))), t.length)
	values := make([]string, len(texts))
	for index, value := range texts {
		values[index] = value.string()
	}
	return values
}

// log writes a line of the level `debug`.
func log(line string) {
	hostLog(0, textOf(line).place, uint32(len(line)))
}

//go:wasmimport smcp:policy/logging@0.1.0 log
func hostLog(level int32, place, length uint32)

// realloc gives smcp the memory for what it hands over.
//
//go:wasmexport cabi_realloc
func realloc(old, oldSize, align, size uint32) uint32 {
	// Words of eight bytes have every alignment of the interface.
	words := make([]uint64, (size+7)/8+1)
	fresh := listOf(words).place
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(uintptr(fresh))), size), text{place: old, length: oldSize}.string())
	}
	return fresh
}

//go:wasmexport smcp:policy/evaluator@0.1.0#describe
func exportDescribe() uint32 {
	return placeOf(describe())
}

//go:wasmexport smcp:policy/evaluator@0.1.0#check-settings
func exportCheckSettings(place, length uint32) uint32 {
	answer := &checked{}
	if found := checkSettings(text{place: place, length: length}.string()); found != nil {
		answer.isErr, answer.problems = true, listOf([]problem{*found})
	}
	return placeOf(answer)
}

//go:wasmexport smcp:policy/evaluator@0.1.0#evaluate
func exportEvaluate(place uint32) uint32 {
	asked := (*request)(unsafe.Pointer(uintptr(place)))
	return placeOf(evaluate(asked, asked.settings.string()))
}
