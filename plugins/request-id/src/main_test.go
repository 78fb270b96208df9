package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	c, err := parseConfig(nil)
	if err != nil || c.Header != "x-request-id" || !c.TrustIncoming || c.MaxLength != 128 || !c.Response {
		t.Fatalf("defaults: %+v, %v", c, err)
	}
	c, err = parseConfig([]byte(`{"header":"X-Id","trust_incoming":false,"format":"uuidv4"}`))
	if err != nil || c.Header != "x-id" || c.TrustIncoming || !c.Response {
		t.Fatalf("%+v, %v", c, err)
	}
	for text, expected := range map[string]string{
		`{"headers":"x"}`:   `unknown field "headers"`,
		`{"header":"a b"}`:  "not a header name",
		`{"max_length":0}`:  "is not from 1",
		`{"format":"ulid"}`: "neither uuidv4",
		`{"header":1}`:      "cannot unmarshal number",
		`{} {}`:             "more after",
		`nothing`:           "invalid character",
	} {
		if _, err := parseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestNewID(t *testing.T) {
	for format, version := range map[string]string{"uuidv4": "4", "uuidv7": "7"} {
		shape := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-` + version + `[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		first, _ := newID(format)
		second, _ := newID(format)
		if !shape.MatchString(first) || first == second {
			t.Errorf("%s: %s, %s", format, first, second)
		}
	}
}

func TestIsValid(t *testing.T) {
	for id, expected := range map[string]bool{
		"": false, "a": true, "0190-ab_c.d:e/f+g=@": true, "a b": false, "a,b": false, "a\nb": false, "é": false,
		strings.Repeat("x", 10): true, strings.Repeat("x", 11): false,
	} {
		limit := 10
		if strings.HasPrefix(id, "0190") {
			limit = 128
		}
		if isValid(id, limit) != expected {
			t.Errorf("%q: %v", id, !expected)
		}
	}
}
