package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// server answers OpenTofu for one provider.
type server struct {
	tfprotov6.ProviderServer
	address string
	schemas *providerSchema
	cloud   *cloud
	config  settings
}

// settings are what the provider's own block, or else the environment, says.
type settings struct {
	provider    string
	region      string
	zone        string
	folder      string
	defaultTags object
}

func newServer(schemas string) (*server, error) {
	address, found, err := readSchemas(schemas)
	if err != nil {
		return nil, err
	}
	return &server{address: address, schemas: found}, nil
}

// cloudOf is the cloud of a type.
func cloudOf(kind string) string {
	name, _, _ := strings.Cut(kind, "_")
	return name
}

func failed(summary string, err error) []*tfprotov6.Diagnostic {
	if err == nil {
		return nil
	}
	return []*tfprotov6.Diagnostic{{Severity: tfprotov6.DiagnosticSeverityError, Summary: summary, Detail: err.Error()}}
}

func (s *server) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	out := &tfprotov6.GetMetadataResponse{ServerCapabilities: &tfprotov6.ServerCapabilities{GetProviderSchemaOptional: true}}
	for _, name := range sorted(s.schemas.Resources) {
		out.Resources = append(out.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for _, name := range sorted(s.schemas.Data) {
		out.DataSources = append(out.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	return out, nil
}

func (s *server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	var failed error
	served := func(all map[string]*schema) map[string]*tfprotov6.Schema {
		out := make(map[string]*tfprotov6.Schema, len(all))
		for _, name := range sorted(all) {
			if err := all[name].prepare(); err != nil && failed == nil {
				failed = fmt.Errorf("%s: %w", name, err)
			}
			out[name] = all[name].served
		}
		return out
	}
	out := &tfprotov6.GetProviderSchemaResponse{
		Provider:          served(map[string]*schema{"the provider": s.schemas.Provider})["the provider"],
		ResourceSchemas:   served(s.schemas.Resources),
		DataSourceSchemas: served(s.schemas.Data),
	}
	return out, failed
}

func (s *server) ValidateProviderConfig(_ context.Context, asked *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: asked.Config}, nil
}

func (s *server) ConfigureProvider(_ context.Context, asked *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	cloud, err := openCloud(os.Getenv("FAKE_CLOUD_DIR"))
	if err != nil {
		return &tfprotov6.ConfigureProviderResponse{Diagnostics: failed("The fake cloud has no place", err)}, nil
	}
	config, err := read(asked.Config, s.schemas.Provider)
	if err != nil {
		return nil, err
	}
	first := func(values ...string) string {
		for _, value := range values {
			if value != "" {
				return value
			}
		}
		return ""
	}
	s.cloud = cloud
	s.config = settings{provider: s.name(), folder: first(text(config, "folder_id"), os.Getenv("YC_FOLDER_ID"), "b1gdefaultfolder0000")}
	if s.name() == "aws" {
		s.config.region = first(text(config, "region"), os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), "us-east-1")
		s.config.zone = s.config.region + "a"
	} else {
		s.config.zone = first(text(config, "zone"), os.Getenv("YC_ZONE"), "ru-central1-a")
		s.config.region = first(text(config, "region_id"), "ru-central1")
	}
	if blocks, _ := config["default_tags"].([]any); len(blocks) == 1 {
		inner, _ := blocks[0].(object)
		s.config.defaultTags, _ = inner["tags"].(object)
	}
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

// name is the provider's short name, as types begin with it.
func (s *server) name() string {
	return s.address[strings.LastIndex(s.address, "/")+1:]
}

func (s *server) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	// The server cancels what is under way by itself.
	return &tfprotov6.StopProviderResponse{}, nil
}

func (s *server) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (s *server) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (s *server) UpgradeResourceState(_ context.Context, asked *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	schema := s.schemas.Resources[asked.TypeName]
	if err := schema.prepare(); err != nil {
		return nil, err
	}
	kind := schema.object
	options := tfprotov6.UnmarshalOpts{ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true}}
	value, err := asked.RawState.UnmarshalWithOpts(kind, options)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(kind, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (s *server) GetFunctions(context.Context, *tfprotov6.GetFunctionsRequest) (*tfprotov6.GetFunctionsResponse, error) {
	return &tfprotov6.GetFunctionsResponse{}, nil
}

func (s *server) CallFunction(context.Context, *tfprotov6.CallFunctionRequest) (*tfprotov6.CallFunctionResponse, error) {
	return nil, errors.New("there are no functions")
}

func (s *server) MoveResourceState(context.Context, *tfprotov6.MoveResourceStateRequest) (*tfprotov6.MoveResourceStateResponse, error) {
	return nil, errors.New("a resource can't become one of another type")
}

// read gives what OpenTofu sent; nil for nothing.
func read(sent *tfprotov6.DynamicValue, of *schema) (object, error) {
	if err := of.prepare(); err != nil || sent == nil {
		return nil, err
	}
	value, err := sent.Unmarshal(of.object)
	if err != nil {
		return nil, err
	}
	out, _ := fromValue(value).(object)
	return out, nil
}

func write(from object, of *schema) (*tfprotov6.DynamicValue, error) {
	if err := of.prepare(); err != nil {
		return nil, err
	}
	value := tftypes.NewValue(of.object, nil)
	if from != nil {
		value = toValue(from, of.object)
	}
	out, err := tfprotov6.NewDynamicValue(of.object, value)
	return &out, err
}

func (s *server) ReadResource(stop context.Context, asked *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	kind := asked.TypeName
	schema := s.schemas.Resources[kind]
	state, err := read(asked.CurrentState, schema)
	if err != nil {
		return nil, err
	}
	answer := &tfprotov6.ReadResourceResponse{NewState: asked.CurrentState, Private: asked.Private}
	faults := s.cloud.faults(s.name(), "read", kind)
	if err := faults.before(stop); err != nil {
		answer.Diagnostics = failed("reading "+kind, err)
		return answer, nil
	}
	var found object
	err = s.cloud.locked(func() error {
		s.cloud.log("read", kind, text(state, "id"))
		found = s.look(kind, state)
		return nil
	})
	if err == nil {
		err = faults.after(stop)
	}
	if err != nil {
		answer.Diagnostics = failed("reading "+kind, err)
		return answer, nil
	}
	answer.NewState, err = write(found, schema)
	return answer, err
}

func (s *server) ImportResourceState(_ context.Context, asked *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	schema := s.schemas.Resources[asked.TypeName]
	var found object
	s.cloud.each(asked.TypeName, func(_, key string, thing object) bool {
		if key == asked.ID || text(thing, "id") == asked.ID {
			found = thing
		}
		return found == nil
	})
	if found == nil {
		err := fmt.Errorf("there is no %s %s", asked.TypeName, asked.ID)
		return &tfprotov6.ImportResourceStateResponse{Diagnostics: failed("Cannot import non-existent remote object", err)}, nil
	}
	state, err := write(found, schema)
	if err != nil {
		return nil, err
	}
	imported := []*tfprotov6.ImportedResource{{TypeName: asked.TypeName, State: state}}
	return &tfprotov6.ImportResourceStateResponse{ImportedResources: imported}, nil
}

func (s *server) ApplyResourceChange(stop context.Context, asked *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	kind := asked.TypeName
	schema := s.schemas.Resources[kind]
	prior, err := read(asked.PriorState, schema)
	if err != nil {
		return nil, err
	}
	planned, err := read(asked.PlannedState, schema)
	if err != nil {
		return nil, err
	}
	operation, do := "update", func() (object, error) { return s.update(kind, prior, planned) }
	switch {
	case prior == nil:
		operation, do = "create", func() (object, error) { return s.create(kind, planned) }
	case planned == nil:
		operation, do = "delete", func() (object, error) { return nil, s.delete(kind, prior) }
	}
	answer := &tfprotov6.ApplyResourceChangeResponse{NewState: asked.PriorState, Private: asked.PlannedPrivate, UnsafeToUseLegacyTypeSystem: true}
	refused := func(err error) (*tfprotov6.ApplyResourceChangeResponse, error) {
		answer.Diagnostics = failed(strings.TrimSuffix(operation, "e")+"ing "+kind, err)
		return answer, nil
	}
	// What was unknown to the plan is known now.
	if config, err := read(asked.Config, schema); err != nil {
		return nil, err
	} else if err := s.allowed(kind, config); err != nil {
		return refused(err)
	}
	faults := s.cloud.faults(s.name(), operation, kind)
	if err := faults.before(stop); err != nil {
		return refused(err)
	}
	var made object
	err = s.cloud.locked(func() error {
		made, err = do()
		if err == nil {
			of := made
			if of == nil {
				of = prior
			}
			s.cloud.log(operation, kind, text(of, "id"))
		}
		return err
	})
	if err != nil {
		return refused(err)
	}
	waited := faults.after(stop)
	if answer.NewState, err = write(made, schema); err != nil {
		return nil, err
	}
	if waited != nil {
		// What was begun stays in the state: a thing that is half made is tainted, not lost.
		return refused(waited)
	}
	return answer, nil
}
