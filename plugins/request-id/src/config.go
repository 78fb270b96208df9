package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// config is the configuration of one plugin.
type config struct {
	Header        string `json:"header"`
	TrustIncoming bool   `json:"trust_incoming"`
	MaxLength     int    `json:"max_length"`
	Response      bool   `json:"response"`
	Format        string `json:"format"`
}

// longest bounds max_length: an id is written into every log line.
const longest = 1024

// parseConfig reads a plugin configuration; no bytes at all mean the defaults. The error names the
// field and what is wrong with it.
func parseConfig(text []byte) (config, error) {
	c := config{Header: "x-request-id", TrustIncoming: true, MaxLength: 128, Response: true, Format: "uuidv7"}
	if len(bytes.TrimSpace(text)) == 0 {
		return c, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return c, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return c, errors.New("there is more after the first JSON value")
	}
	if !isHeaderName(c.Header) {
		return c, fmt.Errorf("header: %q is not a header name", c.Header)
	}
	c.Header = strings.ToLower(c.Header)
	if c.MaxLength < 1 || c.MaxLength > longest {
		return c, fmt.Errorf("max_length: %d is not from 1 to %d", c.MaxLength, longest)
	}
	if c.Format != "uuidv4" && c.Format != "uuidv7" {
		return c, fmt.Errorf("format: %q is neither uuidv4 nor uuidv7", c.Format)
	}
	return c, nil
}

func isHeaderName(name string) bool {
	if name == "" {
		return false
	}
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
