package main

import (
	"context"
	"fmt"
	"path"
	"reflect"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func (s *server) PlanResourceChange(_ context.Context, asked *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	kind := asked.TypeName
	schema := s.schemas.Resources[kind]
	prior, err := read(asked.PriorState, schema)
	if err != nil {
		return nil, err
	}
	planned, err := read(asked.ProposedNewState, schema)
	if err != nil {
		return nil, err
	}
	answer := &tfprotov6.PlanResourceChangeResponse{PlannedState: asked.ProposedNewState, PlannedPrivate: asked.PriorPrivate, UnsafeToUseLegacyTypeSystem: true}
	if planned == nil {
		return answer, nil
	}
	config, err := read(asked.Config, schema)
	if err == nil {
		err = s.allowed(kind, config)
	}
	if err != nil {
		answer.Diagnostics = failed("planning "+kind, err)
		return answer, nil
	}
	s.planTags(schema.Block, planned)
	if prior == nil {
		leaveOpen(schema.Block, planned)
	} else if !reflect.DeepEqual(prior, planned) {
		if err := s.cannotChange(kind, prior, planned); err != nil {
			answer.Diagnostics = failed("planning "+kind, err)
			return answer, nil
		}
		for _, name := range rules[kind].renewed {
			planned[name] = unknown{}
		}
		leaveNewOpen(schema.Block, prior, planned)
		answer.RequiresReplace = replacing(kind, prior, planned)
	}
	answer.PlannedState, err = write(planned, schema)
	return answer, err
}

// planTags says what tags_all will be: the resource's own over the provider's.
func (s *server) planTags(block block, planned object) {
	if _, has := block.Attributes["tags_all"]; !has {
		return
	}
	own, known := planned["tags"].(object)
	if planned["tags"] != nil && !known {
		planned["tags_all"] = unknown{}
		return
	}
	all := object{}
	for key, value := range s.config.defaultTags {
		all[key] = value
	}
	for key, value := range own {
		all[key] = value
	}
	planned["tags_all"] = all
}

// leaveOpen marks what the cloud will say: each computed attribute that the configuration doesn't set.
func leaveOpen(block block, planned object) {
	for name, attribute := range block.Attributes {
		if attribute.Computed && planned[name] == nil {
			planned[name] = unknown{}
		}
	}
	eachBlock(block, planned, func(inner nestedBlock, of object, _ string, _ int) { leaveOpen(inner.Block, of) })
}

// leaveNewOpen does it for the nested blocks that were not there before; what was there keeps what the cloud said.
func leaveNewOpen(block block, prior, planned object) {
	eachBlock(block, planned, func(inner nestedBlock, of object, name string, at int) {
		switch before := prior[name].(type) {
		case []any:
			if at < len(before) && inner.Mode == "list" {
				if was, is := before[at].(object); is {
					leaveNewOpen(inner.Block, was, of)
					return
				}
			}
			for _, one := range before {
				if reflect.DeepEqual(one, any(of)) {
					return
				}
			}
		case object:
			if inner.Mode == "single" || inner.Mode == "group" {
				leaveNewOpen(inner.Block, before, of)
				return
			}
		}
		leaveOpen(inner.Block, of)
	})
}

// eachBlock gives each of the nested blocks of an object.
func eachBlock(block block, of object, give func(inner nestedBlock, of object, name string, at int)) {
	for name, inner := range block.Blocks {
		switch blocks := of[name].(type) {
		case []any:
			for at, one := range blocks {
				if one, is := one.(object); is {
					give(inner, one, name, at)
				}
			}
		case object:
			if inner.Mode == "map" {
				for _, one := range blocks {
					if one, is := one.(object); is {
						give(inner, one, name, 0)
					}
				}
			} else {
				give(inner, blocks, name, 0)
			}
		}
	}
}

// replacing gives what has changed that the cloud can't change in place.
func replacing(kind string, prior, planned object) (out []*tftypes.AttributePath) {
	patterns := rules[kind].fixed
	if kind == "aws_instance" && planned["user_data_replace_on_change"] == true {
		patterns = append([]string{"user_data", "user_data_base64"}, patterns...)
	}
	var compare func(before, after any, names []string, at *tftypes.AttributePath)
	compare = func(before, after any, names []string, at *tftypes.AttributePath) {
		if reflect.DeepEqual(before, after) {
			return
		}
		name := strings.Join(names, ".")
		for _, pattern := range patterns {
			if matches, _ := path.Match(pattern, name); matches {
				out = append(out, at)
				return
			}
		}
		switch before := before.(type) {
		case []any:
			after, is := after.([]any)
			if !is {
				return
			}
			for index := range before {
				if index < len(after) {
					compare(before[index], after[index], names, at.WithElementKeyInt(index))
				}
			}
		case object:
			after, is := after.(object)
			if !is {
				return
			}
			for _, key := range sorted(before) {
				compare(before[key], after[key], append(names[:len(names):len(names)], key), at.WithAttributeName(key))
			}
		}
	}
	for _, key := range sorted(planned) {
		compare(prior[key], planned[key], []string{key}, tftypes.NewAttributePath().WithAttributeName(key))
	}
	return out
}

// cannotChange says what the cloud refuses to change while the instance runs.
func (s *server) cannotChange(kind string, prior, planned object) error {
	if kind != "yandex_compute_instance" || planned["allow_stopping_for_update"] == true || prior["status"] == "stopped" {
		return nil
	}
	for _, name := range []string{"platform_id", "resources", "network_acceleration_type", "service_account_id"} {
		if !reflect.DeepEqual(prior[name], planned[name]) {
			return fmt.Errorf("Changing the `%s` on an instance requires stopping it. To acknowledge this action, please set allow_stopping_for_update = true in your config file.", name)
		}
	}
	return nil
}
