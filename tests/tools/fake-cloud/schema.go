package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The output of `tofu providers schema -json`.

type attribute struct {
	Type                                    json.RawMessage
	Nested                                  *nested `json:"nested_type"`
	Optional, Required, Computed, Sensitive bool
	Deprecated                              bool
	WriteOnly                               bool `json:"write_only"`
}

type nested struct {
	Attributes map[string]attribute
	Mode       string `json:"nesting_mode"`
}

type block struct {
	Attributes map[string]attribute
	Blocks     map[string]nestedBlock `json:"block_types"`
}

type nestedBlock struct {
	Mode     string `json:"nesting_mode"`
	MinItems int64  `json:"min_items"`
	MaxItems int64  `json:"max_items"`
	Block    block
}

type schema struct {
	Version int64
	Block   block

	once   sync.Once
	served *tfprotov6.Schema
	object tftypes.Object
	failed error
}

type providerSchema struct {
	Provider  *schema
	Resources map[string]*schema `json:"resource_schemas"`
	Data      map[string]*schema `json:"data_source_schemas"`
}

// readSchemas reads the one provider of a schema file.
func readSchemas(path string) (address string, found *providerSchema, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("SCHEMA_JSON: %w", err)
	}
	var file struct {
		Providers map[string]*providerSchema `json:"provider_schemas"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return "", nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(file.Providers) != 1 {
		return "", nil, fmt.Errorf("%s: a file holds one provider, not %d", path, len(file.Providers))
	}
	for address, found = range file.Providers {
	}
	return address, found, nil
}

// prepare turns the file's form into OpenTofu's, once it is asked for: one run of OpenTofu starts several providers, and
// most of them need few types.
func (s *schema) prepare() error {
	s.once.Do(func() {
		var served *tfprotov6.SchemaBlock
		if served, s.failed = s.Block.serve(); s.failed == nil {
			s.served = &tfprotov6.Schema{Version: s.Version, Block: served}
			s.object = s.served.ValueType().(tftypes.Object)
		}
	})
	return s.failed
}

func sorted[V any](all map[string]V) []string {
	keys := make([]string, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func serveAttributes(all map[string]attribute) (out []*tfprotov6.SchemaAttribute, err error) {
	modes := map[string]tfprotov6.SchemaObjectNestingMode{"single": 1, "list": 2, "set": 3, "map": 4}
	for _, name := range sorted(all) {
		from := all[name]
		to := &tfprotov6.SchemaAttribute{
			Name:       name,
			Optional:   from.Optional,
			Required:   from.Required,
			Computed:   from.Computed,
			Sensitive:  from.Sensitive,
			Deprecated: from.Deprecated,
			WriteOnly:  from.WriteOnly,
		}
		if from.Nested != nil {
			inner, err := serveAttributes(from.Nested.Attributes)
			if err != nil {
				return nil, err
			}
			to.NestedType = &tfprotov6.SchemaObject{Attributes: inner, Nesting: modes[from.Nested.Mode]}
		} else if to.Type, err = tftypes.ParseJSONType(from.Type); err != nil { //nolint:staticcheck
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, to)
	}
	return out, nil
}

func (b block) serve() (*tfprotov6.SchemaBlock, error) {
	modes := map[string]tfprotov6.SchemaNestedBlockNestingMode{"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
	attributes, err := serveAttributes(b.Attributes)
	if err != nil {
		return nil, err
	}
	out := &tfprotov6.SchemaBlock{Attributes: attributes}
	for _, name := range sorted(b.Blocks) {
		from := b.Blocks[name]
		inner, err := from.Block.serve()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.BlockTypes = append(out.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name,
			Block:    inner,
			Nesting:  modes[from.Mode],
			MinItems: from.MinItems,
			MaxItems: from.MaxItems,
		})
	}
	return out, nil
}
