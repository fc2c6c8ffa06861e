package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// madeNow holds the ids that parts of things got in this process, as that of an instance's boot disk.
var madeNow sync.Map

// random gives n random characters of an alphabet.
func random(n int, alphabet string) string {
	bytes := make([]byte, n)
	_, _ = rand.Read(bytes)
	for at, one := range bytes {
		bytes[at] = alphabet[int(one)%len(alphabet)]
	}
	return string(bytes)
}

const (
	hexadecimal = "0123456789abcdef"
	lower       = "0123456789abcdefghijklmnopqrstuv"
	letters     = "abcdefghijklmnopqrstuvwxyz"
)

// idOf gives an id of the cloud's shape; "fake" within it marks it as this cloud's own.
func idOf(provider, prefix string) string {
	if provider == "aws" {
		return prefix + "0fa4e" + random(12, hexadecimal)
	}
	return prefix + "fake" + random(13, lower)
}

func uuid() string {
	digits := random(32, hexadecimal)
	return strings.Join([]string{digits[:8], digits[8:12], "4" + digits[13:16], "8" + digits[17:20], digits[20:]}, "-")
}

// newID gives a new thing its id, and first the name that it may be made of.
func (s *server) newID(kind string, made object) string {
	rule := rules[kind]
	for _, name := range []string{"name", "bucket", "function_name", "statement_id", "alarm_name"} {
		if _, open := made[name].(unknown); open {
			prefix := text(made, name+"_prefix")
			if prefix == "" && s.name() == "aws" {
				prefix = "terraform-"
			}
			made[name] = prefix
			if s.name() == "aws" || prefix != "" {
				made[name] = prefix + "20260101" + random(18, "0123456789")
			}
		}
	}
	if kind == "aws_ecs_task_definition" {
		made["revision"] = json.Number(fmt.Sprint(s.nextRevision(made)))
	}
	for _, name := range list("group_name path") {
		_, open := made[name].(unknown)
		if says, known := rule.says[name]; known && (open || made[name] == nil) {
			made[name] = says
		}
	}
	if _, open := made["arn"].(unknown); open && rule.arn != "" && !strings.Contains(rule.arn, "{id}") {
		made["arn"] = s.arn(kind, made)
	}
	switch {
	case rule.id != "":
		return s.expand(rule.id, made)
	case rule.prefix != "":
		return idOf(s.name(), rule.prefix)
	case strings.HasPrefix(kind, "aws_apigatewayv2_"):
		return random(10, letters)
	case s.name() == "aws":
		return uuid()
	default:
		return idOf(s.name(), "d9p")
	}
}

// nextRevision numbers the revisions of a family; the number of one that is gone is not given again.
func (s *server) nextRevision(made object) int {
	place := filepath.Join(s.cloud.folder, "revisions.json")
	last := map[string]int{}
	if text, err := os.ReadFile(place); err == nil {
		_ = decode(text, &last)
	}
	family := text(made, "family")
	last[family]++
	if text, err := json.Marshal(last); err == nil {
		_ = replace(place, text)
	}
	return last[family]
}

func (s *server) arn(kind string, made object) string {
	template := rules[kind].arn
	if template == "" {
		template = strings.ReplaceAll(strings.TrimPrefix(kind, "aws_"), "_", "-") + ":{region}:{account}:{id}"
	}
	if strings.HasPrefix(template, "yrn:") {
		return s.expand(template, made)
	}
	return "arn:aws:" + s.expand(template, made)
}

var hole = regexp.MustCompile(`\{(\w+)(/?)\}`)

// expand fills a template: {name} is an attribute, {name/} what follows its last slash or colon.
func (s *server) expand(template string, made object) string {
	return hole.ReplaceAllStringFunc(template, func(found string) string {
		parts := hole.FindStringSubmatch(found)
		value := ""
		switch one := made[parts[1]].(type) {
		case string:
			value = one
		case json.Number:
			value = string(one)
		}
		switch {
		case parts[1] == "account":
			return account
		case value == "" && parts[1] == "region":
			return s.config.region
		case value == "" && parts[1] == "zone":
			return s.config.zone
		case value == "" && parts[1] == "path":
			return "/"
		case parts[2] == "/":
			return value[strings.LastIndexAny(value, "/:")+1:]
		}
		return value
	})
}

// lastVersion is where an update leaves the version that was.
const lastVersion = "version that was"

// within stands in the seed of what is part of a block.
const within = " in block "

// fill says all that was left to the cloud to say.
func (s *server) fill(kind string, of block, made, thing object) {
	seed := kind + text(thing, "id")
	s.fillBlock(kind, of, made, thing, seed)
}

func (s *server) fillBlock(kind string, of block, made, thing object, seed string) {
	for _, name := range sorted(of.Attributes) {
		attribute := of.Attributes[name]
		if _, open := made[name].(unknown); open {
			kindOf, _ := tftypes.ParseJSONType(attribute.Type) //nolint:staticcheck
			made[name] = s.say(kind, name, kindOf, thing, seed)
			if attribute.Optional && (made[name] == madeUp(name, seed) || leftEmpty(name)) {
				made[name] = "" // what nobody set, the cloud leaves empty
			}
		} else if attribute.WriteOnly {
			made[name] = nil
		}
	}
	eachBlock(of, made, func(inner nestedBlock, part object, name string, at int) {
		s.fillBlock(kind, inner.Block, part, thing, fmt.Sprintf("%s%s%s %d", seed, within, name, at))
	})
}

// say gives the value of a computed attribute: what the rule says, else something plausible, which is always the same
// for the same thing.
func (s *server) say(kind, name string, of tftypes.Type, thing object, seed string) any {
	if says, known := rules[kind].says[name]; known && !strings.Contains(seed, within) {
		if template, is := says.(string); is {
			return s.expand(template, thing)
		}
		return says
	}
	switch {
	case of == nil || of.Is(tftypes.DynamicPseudoType):
		return nil
	case of.Is(tftypes.Bool):
		return false
	case of.Is(tftypes.Number):
		return json.Number("0")
	case of.Is(tftypes.String):
		return s.sayText(kind, name, thing, seed)
	case of.Is(tftypes.Map{}):
		return object{}
	case of.Is(tftypes.List{}), of.Is(tftypes.Set{}):
		return []any{}
	}
	return nil
}

func (s *server) sayText(kind, name string, thing object, seed string) string {
	hash := sha256.Sum256([]byte(seed + " " + name))
	digits := hex.EncodeToString(hash[:])
	// What a data source makes up belongs to nobody, so that it isn't asked for among the cloud's own things.
	yandexMark, awsMark := "fake", "0fa4e"
	if strings.HasPrefix(seed, "data ") {
		yandexMark, awsMark = "data", "0da7a"
	}
	switch {
	case name == "arn" && s.name() == "aws", name == "arn" && rules[kind].arn != "":
		return s.arn(kind, thing)
	case kind == "aws_lambda_function" && name == "version":
		if thing["publish"] != true {
			return "$LATEST"
		}
		last := 0
		_, _ = fmt.Sscan(text(thing, lastVersion), &last)
		return fmt.Sprint(last + 1)
	case name == "region":
		return s.config.region
	case name == "zone", name == "availability_zone":
		return s.config.zone
	case name == "zone_id", name == "availability_zone_id":
		return "use1-az1"
	case name == "folder_id":
		return s.config.folder
	case name == "cloud_id":
		return "b1gdefaultcloud00000"
	case name == "owner_id", name == "account_id", name == "account":
		return account
	case name == "instance_state", name == "status" && strings.HasPrefix(kind, "yandex_compute_instance"):
		return "running"
	case name == "status" && (kind == "yandex_compute_image" || kind == "yandex_compute_disk"):
		return "ready"
	case name == "status":
		return "ACTIVE"
	case name == "state":
		return "available"
	case strings.HasSuffix(name, "_at"), strings.HasSuffix(name, "_date"), strings.HasSuffix(name, "_time"), name == "last_modified":
		return "2026-01-01T00:00:00Z"
	case name == "public_ip", name == "nat_ip_address", name == "external_ip_address":
		return fmt.Sprintf("203.0.113.%d", hash[0])
	case name == "ip_address", name == "private_ip", strings.HasSuffix(name, "ipv4_address"):
		return fmt.Sprintf("10.%d.%d.%d", hash[0], hash[1], hash[2])
	case strings.Contains(name, "ipv6"):
		return ""
	case name == "cidr_block":
		return "10.0.0.0/16"
	case strings.HasSuffix(name, "url"), strings.HasSuffix(name, "endpoint"):
		return "https://" + digits[:12] + ".example.com"
	case s.name() == "yandex" && (name == "id" || strings.HasSuffix(name, "_id")):
		id := map[string]string{"disk_id": "fhm", "network_id": "enp", "subnet_id": "e9b", "image_id": "fd8"}[name] + yandexMark + digits[:13]
		if len(id) < 20 {
			id = "d9p" + id
		}
		madeNow.Store(id, true)
		return id
	case s.name() == "aws" && idPrefix[name] != "":
		id := idPrefix[name] + awsMark + digits[:12]
		madeNow.Store(id, true)
		return id
	case name == "user_data", strings.HasSuffix(name, "_prefix"), name == "description", name == "comment", name == "policy":
		return ""
	case name == "name" && s.name() == "yandex":
		return ""
	}
	return madeUp(name, seed)
}

// leftEmpty says whether an id that nobody gave stays empty: it names something that may be there, and isn't.
func leftEmpty(name string) bool {
	switch name {
	case "id", "disk_id", "folder_id", "network_id", "region_id", "vpc_id", "subnet_id", "zone_id", "availability_zone_id":
		return false
	}
	return strings.HasSuffix(name, "_id")
}

// madeUp is a text of which nobody knows what the cloud would say.
func madeUp(name, seed string) string {
	hash := sha256.Sum256([]byte(seed + " " + name))
	return strings.ReplaceAll(name, "_", "-") + "-" + hex.EncodeToString(hash[:6])
}

var idPrefix = map[string]string{
	"vpc_id": "vpc-", "subnet_id": "subnet-", "volume_id": "vol-", "image_id": "ami-", "default_security_group_id": "sg-",
	"default_route_table_id": "rtb-", "main_route_table_id": "rtb-", "default_network_acl_id": "acl-",
	"primary_network_interface_id": "eni-", "network_interface_id": "eni-", "association_id": "eipassoc-",
	"security_group_rule_id": "sgr-", "dhcp_options_id": "dopt-",
}
