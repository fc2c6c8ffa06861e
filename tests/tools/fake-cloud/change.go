package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// look gives a thing as the cloud has it now; nil when it is gone.
func (s *server) look(kind string, state object) object {
	if view, is := views[kind]; is {
		target, found := s.cloud.get(view.of, text(state, view.by))
		if !found {
			return nil
		}
		out := copied(state)
		out[view.shows] = target[view.from]
		return out
	}
	found, _ := s.cloud.get(kind, rules[kind].key(state))
	return found
}

func (s *server) create(kind string, planned object) (object, error) {
	made := copied(planned)
	if view, is := views[kind]; is {
		made["id"] = planned[view.by]
		s.fill(kind, s.schemas.Resources[kind].Block, made, made)
		return made, s.turn(view, made)
	}
	made["id"] = s.newID(kind, made)
	s.fill(kind, s.schemas.Resources[kind].Block, made, made)
	if err := s.refers(kind, made); err != nil {
		return nil, err
	}
	if err := s.taken(kind, made); err != nil {
		return nil, err
	}
	return made, s.cloud.put(kind, rules[kind].key(made), made)
}

func (s *server) update(kind string, prior, planned object) (object, error) {
	made := copied(planned)
	if view, is := views[kind]; is {
		s.fill(kind, s.schemas.Resources[kind].Block, made, made)
		return made, s.turn(view, made)
	}
	key := rules[kind].key(prior)
	if _, found := s.cloud.get(kind, key); !found {
		return nil, s.notFound(kind, text(prior, "id"))
	}
	was := copied(made)
	was[lastVersion] = prior["version"]
	s.fill(kind, s.schemas.Resources[kind].Block, made, was)
	if err := s.refers(kind, made); err != nil {
		return nil, err
	}
	return made, s.cloud.put(kind, key, made)
}

func (s *server) delete(kind string, prior object) error {
	if _, is := views[kind]; is {
		return nil
	}
	key := rules[kind].key(prior)
	if err := s.inUse(kind, key, prior); err != nil {
		return err
	}
	s.cloud.remove(kind, key)
	return nil
}

// turn sets what a view shows on the thing it looks at.
func (s *server) turn(view view, to object) error {
	key := text(to, view.by)
	target, found := s.cloud.get(view.of, key)
	if !found {
		return s.notFound(view.of, key)
	}
	target[view.from] = to[view.shows]
	return s.cloud.put(view.of, key, target)
}

func copied(from object) object {
	out := make(object, len(from))
	for key, value := range from {
		out[key] = value
	}
	return out
}

func (s *server) notFound(kind, id string) error {
	short := strings.TrimPrefix(kind, s.name()+"_")
	if s.name() == "yandex" {
		return fmt.Errorf("rpc error: code = NotFound desc = %s %s not found", camel(short), id)
	}
	if code, known := missing[short]; known {
		return fmt.Errorf("api error %s.NotFound: The %s '%s' does not exist", code, strings.ReplaceAll(short, "_", " "), id)
	}
	return fmt.Errorf("api error ResourceNotFoundException: The %s '%s' does not exist", strings.ReplaceAll(short, "_", " "), id)
}

var missing = map[string]string{
	"instance": "InvalidInstanceID", "subnet": "InvalidSubnetID", "vpc": "InvalidVpcID", "security_group": "InvalidGroup",
	"ebs_volume": "InvalidVolume", "internet_gateway": "InvalidInternetGatewayID", "nat_gateway": "NatGatewayNotFound",
	"route_table": "InvalidRouteTableID", "eip": "InvalidAllocationID", "vpc_endpoint": "InvalidVpcEndpointId",
}

func camel(name string) string {
	words := strings.Split(name, "_")
	for at, word := range words {
		words[at] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

var (
	awsID    = regexp.MustCompile(`^([a-z]+)-0fa4e[0-9a-f]{12}$`)
	yandexID = regexp.MustCompile(`^[a-z0-9]{3}fake[0-9a-v]{13}$`)
	awsARN   = regexp.MustCompile(`^arn:aws:(iam|sqs|dynamodb|lambda|ecs|kms|secretsmanager):[a-z0-9-]*:` + account + `:[^*]+$`)
)

// own says whether the text looks like a name that this cloud gave.
func own(id string) bool {
	return awsID.MatchString(id) || yandexID.MatchString(id) || awsARN.MatchString(id)
}

// refers looks whether everything that a thing refers to exists.
func (s *server) refers(kind string, made object) (err error) {
	var wanted []string
	schema := s.schemas.Resources[kind].Block
	for name, value := range made {
		attribute, plain := schema.Attributes[name]
		switch {
		case plain && attribute.Computed && !attribute.Optional:
			continue // what the cloud said itself
		case name == "id", name == "tags", name == "tags_all", name == "labels", name == "metadata", strings.HasPrefix(name, "user_data"):
			continue
		}
		eachString(value, func(one string) {
			if own(one) {
				wanted = append(wanted, one)
			}
		})
	}
	if len(wanted) == 0 {
		return nil
	}
	known := map[string]bool{text(made, "id"): true, text(made, "arn"): true}
	s.cloud.each("", func(other, key string, thing object) bool {
		known[key] = true
		self := other == kind && key == rules[kind].key(made)
		theirs := s.schemas.Resources[other]
		for name, value := range thing {
			// A thing may be asked for by what the cloud said of it; as a network by its default security group.
			said := theirs == nil || self || name == "id" || (theirs.Block.Attributes[name].Computed && !theirs.Block.Attributes[name].Optional)
			if said {
				eachString(value, func(one string) { known[one] = true })
			}
		}
		return true
	})
	for _, one := range wanted {
		_, part := madeNow.Load(one)
		exists := part || known[one]
		for other := range known {
			exists = exists || (other != "" && (strings.HasPrefix(one, other+":") || strings.HasPrefix(one, other+"/")))
		}
		if !exists {
			return s.notFound(s.kindOf(one), one)
		}
	}
	return nil
}

// kindOf is the type whose ids look so.
func (s *server) kindOf(id string) string {
	for kind, rule := range rules {
		if rule.prefix != "" && cloudOf(kind) == s.name() && strings.HasPrefix(id, rule.prefix) && !strings.HasPrefix(id, "arn:") {
			return kind
		}
	}
	return s.name() + "_resource"
}

// taken looks whether the cloud has something of the same name already.
func (s *server) taken(kind string, made object) error {
	rule := rules[kind]
	key := rule.key(made)
	if _, found := s.cloud.get(kind, key); found && !rule.puts {
		return s.exists(kind, key)
	}
	name := text(made, "name")
	if s.name() != "yandex" || name == "" || !rule.named {
		return nil
	}
	var err error
	s.cloud.each(kind, func(_, _ string, thing object) bool {
		if text(thing, "name") == name && text(thing, "folder_id") == text(made, "folder_id") {
			err = s.exists(kind, name)
		}
		return err == nil
	})
	return err
}

func (s *server) exists(kind, name string) error {
	short := strings.TrimPrefix(kind, s.name()+"_")
	if s.name() == "yandex" {
		return fmt.Errorf("rpc error: code = AlreadyExists desc = %s with name \"%s\" already exists", camel(short), name)
	}
	return fmt.Errorf("api error ResourceAlreadyExistsException: the %s %s already exists", strings.ReplaceAll(short, "_", " "), name)
}

// inUse looks whether something else still needs a thing that is to be deleted.
func (s *server) inUse(kind, key string, prior object) (err error) {
	holders := rules[kind].heldBy
	if len(holders) == 0 {
		return nil
	}
	id, name := text(prior, "id"), text(prior, "arn")
	for _, holder := range holders {
		s.cloud.each(holder, func(_, otherKey string, other object) bool {
			if holder == kind && otherKey == key {
				return true
			}
			eachString(any(other), func(one string) {
				if one == id || (name != "" && one == name) {
					err = s.violation(kind, id, holder, text(other, "id"))
				}
			})
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *server) violation(kind, id, holder, other string) error {
	if s.name() == "yandex" {
		return fmt.Errorf("rpc error: code = FailedPrecondition desc = %s %s is in use by %s %s", camel(strings.TrimPrefix(kind, "yandex_")), id, holder, other)
	}
	if strings.HasPrefix(kind, "aws_iam_") {
		return errors.New("api error DeleteConflict: Cannot delete entity, must detach all policies first.")
	}
	return fmt.Errorf("api error DependencyViolation: The %s '%s' has dependencies and cannot be deleted: %s %s", strings.TrimPrefix(kind, "aws_"), id, holder, other)
}
