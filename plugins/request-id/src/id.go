package main

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"
)

// newID makes an id: uuidv7 begins with the time and so sorts by it, uuidv4 is random.
func newID(format string) (string, error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	if format == "uuidv4" {
		return uuid(random, 4), nil
	}
	milliseconds := time.Now().UnixMilli()
	for i := range 6 {
		random[i] = byte(milliseconds >> (8 * (5 - i)))
	}
	return uuid(random, 7), nil
}

// uuid writes 16 bytes as a UUID of the given version.
func uuid(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	text := hex.EncodeToString(b[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// isValid says whether an id that a client sent may be taken over: not too long, and of characters
// that mean nothing in logs, headers and URLs. Two header lines come joined by a comma and are not.
func isValid(id string, maxLength int) bool {
	if id == "" || len(id) > maxLength {
		return false
	}
	for _, c := range []byte(id) {
		if !isAlphanumeric(c) && !strings.ContainsRune("-_.:/+=@", rune(c)) {
			return false
		}
	}
	return true
}
