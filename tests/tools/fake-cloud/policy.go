package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// policyDocument computes `json` of aws_iam_policy_document, which asks no cloud.
func (s *server) policyDocument(config object) error {
	version := text(config, "version")
	if version == "" {
		version = "2012-10-17"
	}
	var statements []object
	sources, _ := config["source_policy_documents"].([]any)
	overrides, _ := config["override_policy_documents"].([]any)
	if err := merge(&statements, sources); err != nil {
		return err
	}
	blocks, _ := config["statement"].([]any)
	for _, one := range blocks {
		from, _ := one.(object)
		statements = put(statements, statement(from))
	}
	if err := merge(&statements, overrides); err != nil {
		return err
	}
	document := policy{Version: version, ID: text(config, "policy_id"), Statement: statements}
	pretty, err := encode(document, "  ")
	if err != nil {
		return err
	}
	minified, err := encode(document, "")
	if err != nil {
		return err
	}
	config["version"] = version
	config["json"] = pretty
	config["minified_json"] = minified
	config["id"] = fmt.Sprint(hashed(pretty))
	return nil
}

type policy struct {
	Version   string   `json:"Version"`
	ID        string   `json:"Id,omitempty"`
	Statement []object `json:"Statement,omitempty"`
}

func encode(document policy, indent string) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(document)
	return strings.TrimSuffix(out.String(), "\n"), err
}

func hashed(text string) uint32 {
	hash := uint32(2166136261)
	for _, one := range []byte(text) {
		hash = (hash ^ uint32(one)) * 16777619
	}
	return hash
}

// put adds a statement, in the place of one with the same Sid.
func put(statements []object, one object) []object {
	if sid := text(one, "Sid"); sid != "" {
		for at, other := range statements {
			if text(other, "Sid") == sid {
				statements[at] = one
				return statements
			}
		}
	}
	return append(statements, one)
}

func merge(statements *[]object, documents []any) error {
	for _, one := range documents {
		source, _ := one.(string)
		if source == "" {
			continue
		}
		var document struct{ Statement any }
		if err := decode([]byte(source), &document); err != nil {
			return fmt.Errorf("a policy document is no JSON: %w", err)
		}
		all, is := document.Statement.([]any)
		if !is {
			all = []any{document.Statement}
		}
		for _, one := range all {
			if from, is := one.(object); is {
				*statements = put(*statements, from)
			}
		}
	}
	return nil
}

// statement gives a statement as policies have it: one value stands alone, several in a list.
func statement(from object) object {
	out := object{"Effect": "Allow"}
	if effect := text(from, "effect"); effect != "" {
		out["Effect"] = effect
	}
	if sid := text(from, "sid"); sid != "" {
		out["Sid"] = sid
	}
	for name, key := range map[string]string{"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"} {
		if value := values(from[name]); value != nil {
			out[key] = value
		}
	}
	for name, key := range map[string]string{"principals": "Principal", "not_principals": "NotPrincipal"} {
		blocks, _ := from[name].([]any)
		who := object{}
		for _, one := range blocks {
			principal, _ := one.(object)
			kind, ids := text(principal, "type"), values(principal["identifiers"])
			if kind == "*" && ids == "*" {
				out[key] = "*"
			} else {
				who[kind] = ids
			}
		}
		if len(who) > 0 {
			out[key] = who
		}
	}
	blocks, _ := from["condition"].([]any)
	conditions := object{}
	for _, one := range blocks {
		condition, _ := one.(object)
		test := text(condition, "test")
		variables, _ := conditions[test].(object)
		if variables == nil {
			variables = object{}
		}
		variables[text(condition, "variable")] = values(condition["values"])
		conditions[test] = variables
	}
	if len(conditions) > 0 {
		out["Condition"] = conditions
	}
	return out
}

func values(from any) any {
	all, _ := from.([]any)
	var out []string
	for _, one := range all {
		if text, is := one.(string); is {
			// `&{…}` is how a configuration writes a policy variable.
			out = append(out, strings.ReplaceAll(text, "&{", "${"))
		}
	}
	sort.Sort(sort.Reverse(sort.StringSlice(out)))
	switch len(out) {
	case 0:
		return nil
	case 1:
		return out[0]
	}
	return out
}
