// Package lines speaks with the test that started the program, as tests/clients/application.rs tells.
package lines

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// A Word is an answer that is no JSON.
type Word string

// Stopped is the answer after which the program ends.
const Stopped = Word("stopped")

// Serve says that the application has registered, and then has each line answered until it is to stop.
func Serve(answer func(command string, names []string) (any, error)) {
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		said := said(answer, strings.Fields(lines.Text()))
		fmt.Println(said)
		if said == string(Stopped) {
			return
		}
	}
}

func said(answer func(string, []string) (any, error), words []string) string {
	for at, word := range words {
		plain, err := url.PathUnescape(word)
		if err != nil {
			return failed(err)
		}
		words[at] = plain
	}
	value, err := answer(words[0], words[1:])
	if err != nil {
		return failed(err)
	}
	if word, ok := value.(Word); ok {
		return string(word)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return failed(err)
	}
	return string(text)
}

func failed(err error) string {
	return "failed: " + strings.ReplaceAll(err.Error(), "\n", " ")
}
