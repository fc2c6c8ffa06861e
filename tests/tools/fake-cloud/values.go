package main

import (
	"encoding/json"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// object is a thing's attributes, as they lie in its file.
type object = map[string]any

// unknown stands in an object for a value that only the cloud will say.
type unknown struct{}

// fromValue turns OpenTofu's value into plain JSON values; unknown ones become `unknown{}`.
func fromValue(value tftypes.Value) any {
	if !value.IsKnown() {
		return unknown{}
	}
	if value.IsNull() {
		return nil
	}
	switch {
	case value.Type().Is(tftypes.String):
		var out string
		_ = value.As(&out)
		return out
	case value.Type().Is(tftypes.Bool):
		var out bool
		_ = value.As(&out)
		return out
	case value.Type().Is(tftypes.Number):
		out := new(big.Float)
		_ = value.As(&out)
		return json.Number(out.Text('g', -1))
	case value.Type().Is(tftypes.Object{}), value.Type().Is(tftypes.Map{}):
		var inner map[string]tftypes.Value
		_ = value.As(&inner)
		out := make(object, len(inner))
		for key, one := range inner {
			out[key] = fromValue(one)
		}
		return out
	default:
		var inner []tftypes.Value
		_ = value.As(&inner)
		out := make([]any, len(inner))
		for at, one := range inner {
			out[at] = fromValue(one)
		}
		return out
	}
}

// toValue is the way back. What doesn't fit the type becomes null: a file may hold more than the schema knows.
func toValue(from any, kind tftypes.Type) tftypes.Value {
	null := tftypes.NewValue(kind, nil)
	if _, is := from.(unknown); is {
		return tftypes.NewValue(kind, tftypes.UnknownValue)
	}
	if from == nil {
		return null
	}
	if kind.Is(tftypes.DynamicPseudoType) {
		return tftypes.NewValue(kind, nil)
	}
	elements := func(element tftypes.Type) []tftypes.Value {
		list, _ := from.([]any)
		out := make([]tftypes.Value, len(list))
		for at, one := range list {
			out[at] = toValue(one, element)
		}
		return out
	}
	switch kind := kind.(type) {
	case tftypes.Object:
		fields, is := from.(object)
		if !is {
			return null
		}
		out := make(map[string]tftypes.Value, len(kind.AttributeTypes))
		for key, inner := range kind.AttributeTypes {
			out[key] = toValue(fields[key], inner)
		}
		return tftypes.NewValue(kind, out)
	case tftypes.Map:
		fields, is := from.(object)
		if !is {
			return null
		}
		out := make(map[string]tftypes.Value, len(fields))
		for key, one := range fields {
			out[key] = toValue(one, kind.ElementType)
		}
		return tftypes.NewValue(kind, out)
	case tftypes.List:
		if _, is := from.([]any); is {
			return tftypes.NewValue(kind, elements(kind.ElementType))
		}
	case tftypes.Set:
		if _, is := from.([]any); is {
			return tftypes.NewValue(kind, elements(kind.ElementType))
		}
	default:
		switch from := from.(type) {
		case string:
			if kind.Is(tftypes.String) {
				return tftypes.NewValue(kind, from)
			}
		case bool:
			if kind.Is(tftypes.Bool) {
				return tftypes.NewValue(kind, from)
			}
		case json.Number:
			if number, _, err := big.ParseFloat(string(from), 10, 512, big.ToNearestEven); err == nil && kind.Is(tftypes.Number) {
				return tftypes.NewValue(kind, number)
			}
		case int:
			if kind.Is(tftypes.Number) {
				return tftypes.NewValue(kind, big.NewFloat(float64(from)))
			}
		}
	}
	return null
}

// text gives a string attribute, or "".
func text(of object, name string) string {
	switch out := of[name].(type) {
	case string:
		return out
	case json.Number:
		return out.String()
	}
	return ""
}

// eachString gives all texts within a value.
func eachString(of any, give func(string)) {
	switch of := of.(type) {
	case string:
		give(of)
	case []any:
		for _, one := range of {
			eachString(one, give)
		}
	case object:
		for _, one := range of {
			eachString(one, give)
		}
	}
}
