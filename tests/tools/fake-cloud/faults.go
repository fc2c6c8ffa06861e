package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// fault is one rule of faults.json or FAKE_CLOUD_FAULTS; README.md documents it.
type fault struct {
	Do      string `json:"do"`
	On      string `json:"on,omitempty"`
	Type    string `json:"type,omitempty"`
	First   int    `json:"first,omitempty"`
	Nth     int    `json:"nth,omitempty"`
	Ms      int    `json:"ms,omitempty"`
	Message string `json:"message,omitempty"`
}

// faults are the rules that apply to one operation.
type faults struct {
	cloud           *cloud
	provider        string
	operation, kind string
	retries         int
	crash           bool
	slow            time.Duration
}

func (c *cloud) faults(provider, operation, kind string) *faults {
	// What the real providers do by themselves.
	retries := map[string]int{"aws": 25, "yandex": 5}[provider]
	return &faults{cloud: c, provider: provider, operation: operation, kind: kind, retries: retries}
}

func (c *cloud) rules() ([]fault, error) {
	text := []byte(os.Getenv("FAKE_CLOUD_FAULTS"))
	if len(text) == 0 {
		var err error
		if text, err = os.ReadFile(filepath.Join(c.folder, "faults.json")); errors.Is(err, os.ErrNotExist) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	var out []fault
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		return nil, fmt.Errorf("the faults can't be read: %w", err)
	}
	return out, nil
}

// count says how often each rule has applied, this time included; the counters outlive the process.
func (f *faults) count() (applying []fault, err error) {
	err = f.cloud.locked(func() error {
		all, err := f.cloud.rules()
		if err != nil || len(all) == 0 {
			return err
		}
		place := filepath.Join(f.cloud.folder, "counters.json")
		counters := map[string]int{}
		if text, err := os.ReadFile(place); err == nil {
			if err := decode(text, &counters); err != nil {
				return err
			}
		}
		for at, one := range all {
			if one.On != "" && one.On != f.operation {
				continue
			}
			if one.Type != "" {
				if matches, err := path.Match(one.Type, f.kind); err != nil || !matches {
					continue
				}
			}
			name, _ := json.Marshal(one)
			key := fmt.Sprintf("%d %s", at, name)
			counters[key]++
			times := counters[key]
			if (one.First == 0 || times <= one.First) && (one.Nth == 0 || times == one.Nth) {
				applying = append(applying, one)
			}
		}
		text, _ := json.MarshalIndent(counters, "", "  ")
		return replace(place, append(text, '\n'))
	})
	return applying, err
}

// before is what happens before the cloud does anything: it may be throttled, and the provider asks again.
func (f *faults) before(stop context.Context) error {
	for attempt := 0; ; attempt++ {
		applying, err := f.count()
		if err != nil {
			return err
		}
		throttled := false
		for _, one := range applying {
			switch one.Do {
			case "slow":
				f.slow = time.Duration(one.Ms) * time.Millisecond
			case "throttle":
				throttled = true
			case "crash":
				f.crash = true
			case "fail":
				return errors.New(f.failure(one.Message))
			default:
				return fmt.Errorf("faults: %q is no fault: slow, throttle, fail or crash", one.Do)
			}
		}
		if !throttled {
			return nil
		}
		f.cloud.log("throttled", f.kind, "")
		if attempt >= f.retries {
			return errors.New(f.throttling())
		}
		if !sleep(stop, time.Duration(min(1<<attempt, 16))*time.Millisecond) {
			return context.Canceled
		}
	}
}

// after is what happens when the cloud has done it: the provider waits, or dies before it can answer.
func (f *faults) after(stop context.Context) error {
	if f.crash {
		fmt.Fprintln(os.Stderr, "fake-cloud: crashed, as asked")
		os.Exit(1)
	}
	if f.slow > 0 && !sleep(stop, f.slow) {
		return fmt.Errorf("waiting for %s: %w", f.kind, context.Canceled)
	}
	return nil
}

// sleep waits, and says whether nobody stopped it.
func sleep(stop context.Context, long time.Duration) bool {
	if stop == nil {
		time.Sleep(long)
		return true
	}
	select {
	case <-stop.Done():
		return false
	case <-time.After(long):
		return true
	}
}

func (f *faults) failure(message string) string {
	if message != "" {
		return message
	}
	if f.provider == "yandex" {
		return fmt.Sprintf("Error while requesting API to %s %s: rpc error: code = ResourceExhausted desc = The limit on total number of instances has exceeded.", f.operation, f.kind)
	}
	return fmt.Sprintf("operation error EC2: %s %s, https response error StatusCode: 500, InsufficientInstanceCapacity: We currently do not have sufficient capacity in the Availability Zone you requested.", f.operation, f.kind)
}

func (f *faults) throttling() string {
	if f.provider == "yandex" {
		return fmt.Sprintf("Error while requesting API to %s %s: rpc error: code = Unavailable desc = Too Many Requests, given up after %d attempts", f.operation, f.kind, f.retries+1)
	}
	return fmt.Sprintf("operation error EC2: %s %s, exceeded maximum number of attempts, %d, https response error StatusCode: 503, RequestLimitExceeded: Request limit exceeded.", f.operation, f.kind, f.retries)
}
