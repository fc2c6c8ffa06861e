package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// cloud is the folder: TYPE/KEY.json a thing, and beside them the log, the faults, their counters and the lock.
type cloud struct {
	folder string
}

func openCloud(folder string) (*cloud, error) {
	if folder == "" {
		return nil, errors.New("FAKE_CLOUD_DIR names no folder to keep the cloud in")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return &cloud{folder}, nil
}

// locked keeps all other operations out, those of other processes too.
func (c *cloud) locked(do func() error) error {
	file, err := os.OpenFile(filepath.Join(c.folder, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return do()
}

func (c *cloud) path(kind, key string) string {
	name := strings.ReplaceAll(url.PathEscape(key), ":", "%3A")
	return filepath.Join(c.folder, kind, name+".json")
}

func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// get gives a thing's attributes.
func (c *cloud) get(kind, key string) (object, bool) {
	if key == "" {
		return nil, false
	}
	text, err := os.ReadFile(c.path(kind, key))
	if err != nil {
		return nil, false
	}
	var out object
	if err := decode(text, &out); err != nil {
		return nil, false
	}
	return out, true
}

// put writes a thing whole or not at all.
func (c *cloud) put(kind, key string, thing object) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(thing); err != nil {
		return err
	}
	return replace(c.path(kind, key), text.Bytes())
}

func replace(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	unfinished := fmt.Sprintf("%s.%d.unfinished", path, os.Getpid())
	if err := os.WriteFile(unfinished, text, 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}

// remove takes a thing away, and its type's folder with the last one.
func (c *cloud) remove(kind, key string) {
	_ = os.Remove(c.path(kind, key))
	_ = os.Remove(filepath.Join(c.folder, kind))
}

// each gives all things; of one type when `only` names it. It ends when `give` says no.
func (c *cloud) each(only string, give func(kind, key string, thing object) bool) {
	kinds, _ := os.ReadDir(c.folder)
	for _, kind := range kinds {
		if !kind.IsDir() || (only != "" && kind.Name() != only) {
			continue
		}
		files, _ := os.ReadDir(filepath.Join(c.folder, kind.Name()))
		for _, file := range files {
			name, is := strings.CutSuffix(file.Name(), ".json")
			key, err := url.PathUnescape(name)
			if !is || err != nil {
				continue
			}
			if thing, found := c.get(kind.Name(), key); found && !give(kind.Name(), key, thing) {
				return
			}
		}
	}
}

// log adds an operation to log.jsonl: its name, the type and the id, and never a value.
func (c *cloud) log(operation, kind, id string) {
	line, _ := json.Marshal(struct {
		Operation string `json:"operation"`
		Type      string `json:"type"`
		ID        string `json:"id"`
	}{operation, kind, id})
	file, err := os.OpenFile(filepath.Join(c.folder, "log.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer file.Close()
	_, _ = file.Write(append(line, '\n'))
}
