//! What is written where somebody has to choose: a value that fits the attribute, the blocks around it and the Nest.
//!
//! What never lives here: what is offered where.

use fly_std::{
    Type, Value,
    clouds::{Cloud, Location},
    endpoints::{self, KNOWN_TRIGGERS},
    formats::{duration, size},
    schema::{self, Attribute, Block, Constraint, Label, Presence},
};
use flyc::{
    artifact::Provider,
    config::{backend, nest_defaults},
    model::{definitions::NEST_FILE, variables},
    syntax::{self, Kind},
    text::TextRange,
};

use super::{Scene, names};
use crate::ide::snippet::{self, Examples};

/// The cloud when nothing says which.
const DEFAULT_CLOUD: &str = "yandex";

impl Examples for Scene<'_> {
    fn value(&self, block: &Block, word: &str, attribute: &Attribute) -> String {
        let around = self.schema().is_some_and(|schema| std::ptr::eq(schema, block)).then(|| self.around());
        let example = around
            .flatten()
            .and_then(|around| beside(self, block, around, attribute))
            .or_else(|| in_nest(self, attribute))
            .or_else(|| kept(self, attribute))
            .or_else(|| on_cloud(self, attribute))
            .unwrap_or_else(|| ordinary(block, attribute).to_owned());
        match attribute.name {
            "provider" if block.name == "cloud" => {
                let beside = around.flatten().and_then(cloud_of_region);
                format!("\"{}\"", beside.map_or(provider(self), |cloud| cloud.name()))
            }
            "name" if names::wanted_part(self, word, self.word_around(block)).is_some() => {
                let wanted = names::wanted_part(self, word, self.word_around(block));
                format!("\"{}\"", wanted.unwrap_or_default())
            }
            "name" if attribute.ty == Type::Name && self.parse.text().contains(&example) => {
                unused_name(self, word)
            }
            _ => example,
        }
    }

    fn label(&self, block: &Block) -> Option<String> {
        let own = matches!(block.label, Label::Name(_)).then(|| names::free_of_file(self, block.name));
        own.flatten().or_else(|| snippet::label_example(block)).map(str::to_owned)
    }

    fn asked(&self, block: &Block, word: &str, attribute: &Attribute) -> bool {
        match attribute.name {
            // Left out it would be another cloud than the rest is on.
            "provider" if block.name == "cloud" => {
                self.root().is_some_and(|root| root.is("mothergoose")) && provider(self) != DEFAULT_CLOUD
            }
            // What a trigger of one's own would call is no part of the API.
            "endpoint" if block.name == "trigger" => endpoints::find(&endpoints::of_trigger(word)).is_none(),
            _ => false,
        }
    }
}

impl Scene<'_> {
    /// The word of the block that a block of this kind stands in, or would stand in, at the cursor.
    fn word_around(&self, block: &Block) -> &str {
        let inner = self.schema().is_some_and(|schema| std::ptr::eq(schema, block));
        let mut around = self.root();
        let mut before = None;
        while let Some(inner) = around.and_then(|around| around.blocks().find(|block| self.is_within(*block)))
        {
            before = around.replace(inner);
        }
        let block = if inner { before } else { around };
        block.and_then(|block| block.keyword()).map_or("", |word| word.text())
    }
}

/// The names that blocks with names of the user's own usually have, and that are not there yet.
pub(super) fn usual_names(block: &Block, is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let known: &[(&str, &str)] = if block.name == "trigger" { KNOWN_TRIGGERS } else { &[] };
    known.iter().map(|(name, _)| *name).filter(|name| !is_there(name)).collect()
}

/// The example of the tables: what holds anyway, unless that is nothing.
fn ordinary(block: &Block, attribute: &Attribute) -> &'static str {
    match attribute.presence {
        Presence::Default("[]" | "{}" | "\"\"") => attribute.example,
        Presence::Default(value) => value,
        // Of two kinds of machine the smaller disk is on sale for both.
        Presence::Derived(how) if block.name == "resources" => how
            .rsplit(", but ")
            .next()
            .and_then(|rest| rest.split(' ').next())
            .filter(|_| how.contains(", but "))
            .unwrap_or(attribute.example),
        Presence::Required | Presence::Optional | Presence::Derived(_) => attribute.example,
    }
}

/// The cloud that has the region or zone of a `cloud` block.
fn cloud_of_region(block: syntax::Block<'_>) -> Option<Cloud> {
    let place = given(block, "region").or_else(|| given(block, "zone"))?.trim_matches('"');
    Cloud::ALL.into_iter().find(|cloud| cloud.location(place).is_some())
}

/// A value that goes with what stands beside it in its block.
fn beside(
    scene: &Scene<'_>,
    block: &Block,
    around: syntax::Block<'_>,
    attribute: &Attribute,
) -> Option<String> {
    let given = |name: &str| given(around, name);
    let text = |name: &str| Some(given(name)?.trim_matches('"'));
    for constraint in block.constraints {
        let Constraint::NotAbove(low, high) = constraint else { continue };
        let example: i64 = ordinary(block, attribute).parse().ok()?;
        let other = |name: &str| given(name)?.parse::<i64>().ok();
        if attribute.name == *low {
            return Some(other(high).map_or(example, |high| example.min(high)).to_string());
        }
        if attribute.name == *high {
            return Some(other(low).map_or(example, |low| example.max(low)).to_string());
        }
    }
    match attribute.name {
        "zone" => {
            let usual = Cloud::ALL.into_iter().find(|cloud| cloud.name() == provider(scene))?;
            let usual = on_cloud(scene, schema::EGG.child("cloud")?.block.attribute("region")?)
                .filter(|text| usual.location(text.trim_matches('"')).is_some());
            let region = text("region").or_else(|| usual.as_deref().map(|text| text.trim_matches('"')))?;
            let cloud = Cloud::ALL.into_iter().find(|cloud| cloud.location(region).is_some())?;
            let first = || match cloud {
                Cloud::Yandex => cloud.zones().find(|zone| zone.starts_with(region)),
                Cloud::Aws => Some(format!("{region}a")),
            };
            let zone =
                if cloud.location(region) == Some(Location::Zone) { region.to_owned() } else { first()? };
            Some(format!("\"{zone}\""))
        }
        "region" => Some(format!("\"{}\"", text("zone")?)),
        "method" => {
            let path = text("endpoint").map(str::to_owned);
            let path = path.or_else(|| Some(endpoints::of_trigger(around.keyword()?.text())))?;
            Some(format!("\"{}\"", endpoints::find(&path)?.methods.first()?))
        }
        "default" if around.is("variable") && given("allowed").is_some() => {
            first_element(given("allowed")?).map(str::to_owned)
        }
        "type" if around.is("variable") => type_of_default(scene),
        "default" if around.is("variable") => declared(scene).map(|ty| of_type(scene, &ty)),
        "allowed" if around.is("variable") => {
            let default = given("default").map(str::to_owned);
            let one = default.or_else(|| declared(scene).map(|ty| of_type(scene, &ty)))?;
            Some(format!("[{one}]"))
        }
        _ => None,
    }
}

/// The type of what the `variable` block around the cursor gives or allows, as it is declared.
pub(super) fn type_of_default(scene: &Scene<'_>) -> Option<String> {
    fn named(value: &Value) -> String {
        match value {
            Value::String(_) => "string".to_owned(),
            Value::Int(_) => "int".to_owned(),
            Value::Float(_) => "float".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Duration(_) => "duration".to_owned(),
            Value::Size(_) => "size".to_owned(),
            Value::Percent(_) => "percent".to_owned(),
            Value::Secret(_) => "secret".to_owned(),
            Value::List(values) => {
                let mut all = values.iter().map(named);
                let first = all.next().filter(|first| all.all(|other| other == *first));
                // Beyond a list in a list nobody counts.
                let first = first.filter(|first| !first.contains('<'));
                format!("list<{}>", first.unwrap_or_else(|| "any".to_owned()))
            }
            Value::Map(_) => "map<any>".to_owned(),
            Value::Condition(_) => "any".to_owned(),
        }
    }
    let around = scene.around().filter(|block| block.is("variable"))?;
    let mut blocks = scene.compiler.typed(scene.path)?.blocks.iter();
    let typed = blocks.find(|block| block.header == around.header());
    let value = |name: &str| typed?.value(name);
    let told = match (value("default"), value("allowed")) {
        (Some(value), _) => Some(named(value)),
        (None, Some(Value::List(values))) => values.first().map(named),
        _ => None,
    };
    // Whatever it is, it is something.
    let is_given = given(around, "default").or_else(|| given(around, "allowed")).is_some();
    told.or_else(|| is_given.then(|| "any".to_owned()))
}

/// The type that the `variable` block around the cursor declares.
pub(super) fn declared(scene: &Scene<'_>) -> Option<Type> {
    let around = scene.around().filter(|block| block.is("variable"))?;
    match given(around, "type") {
        Some(written) => Type::parse(written.trim_matches('"')),
        None => Some(Type::String),
    }
}

/// The type that a variable of this name has, when the cursor is where variables are given values.
pub(super) fn given_type(scene: &Scene<'_>, name: &str) -> Option<Type> {
    let gives = scene.schema().is_some_and(|schema| std::ptr::eq(schema, &raw const schema::VARIABLES));
    let variables = variables(scene.compiler.database(), scene.compiler.nest());
    variables.get(name).filter(|_| gives).map(|variable| variable.ty)
}

/// The first value of a list as it is written.
fn first_element(list: &str) -> Option<&str> {
    let inner = list.strip_prefix('[')?.strip_suffix(']')?;
    Some(inner.split(',').next()?.trim()).filter(|first| !first.is_empty())
}

/// A value of an attribute with a name of the user's own.
pub(super) fn of_free(scene: &Scene<'_>, name: &str, free: &Attribute) -> String {
    match (given_type(scene, name), free.ty) {
        (Some(ty), _) => {
            let blocks = scene.compiler.parse(NEST_FILE).into_iter().flat_map(|parse| parse.blocks());
            let mut variables = blocks.filter(|block| block.is("variable"));
            let block = variables.find(|block| block.labels().next().is_some_and(|label| label.name == name));
            let allowed = block.and_then(|block| first_element(given(block, "allowed")?));
            allowed.map_or_else(|| of_type(scene, &ty), str::to_owned)
        }
        (None, Type::Any) => of_type(scene, &Type::Any),
        _ => free.example.to_owned(),
    }
}

/// The text of the value that a block gives an attribute.
pub(super) fn given<'p>(block: syntax::Block<'p>, name: &str) -> Option<&'p str> {
    let mut attributes = block.attributes().filter(|attribute| attribute.is(name));
    attributes.find_map(|attribute| attribute.value().map(|value| value.bare().text()))
}

/// A name that the Nest has.
fn in_nest(scene: &Scene<'_>, attribute: &Attribute) -> Option<String> {
    match attribute.ty {
        Type::Entity(_) => {
            Some(format!("\"{}\"", names::eggs(scene).first().map_or("my-name", String::as_str)))
        }
        Type::List(Type::Entity(_)) => {
            let name = names::free_eggs(scene).into_iter().next();
            Some(name.map_or_else(|| "[]".to_owned(), |name| format!("[\"{name}\"]")))
        }
        Type::Profile => {
            Some(format!("profile.{}", names::profiles(scene).first().map_or("my-name", String::as_str)))
        }
        Type::Name => names::parts(scene, attribute.name).first().map(|name| format!("\"{name}\"")),
        _ => None,
    }
}

/// What an attribute is on the cloud at hand, as its docs say.
pub(super) fn on_cloud(scene: &Scene<'_>, attribute: &Attribute) -> Option<String> {
    let Presence::Derived(how) = attribute.presence else { return None };
    let value = said_for(how, provider(scene))?;
    Some(if matches!(attribute.ty, Type::Enum(_) | Type::Name) {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    })
}

/// Where a secret of the egg around the cursor is kept when nobody says so, as the docs of its attribute tell it.
fn kept(scene: &Scene<'_>, attribute: &Attribute) -> Option<String> {
    let Presence::Derived(how) = attribute.presence else { return None };
    let place = how.split('`').nth(1).filter(|place| place.starts_with("{backend}://"))?;
    let root = scene.root().filter(|root| root.is("egg") || root.is("eggsbucket"))?;
    let name = |block: syntax::Block<'_>| Some(block.labels().next()?.name.to_owned());
    let mut owner = name(root)?;
    let mut repos = root.blocks().flat_map(syntax::Block::blocks).filter(|block| block.is("repo"));
    if let Some(repo) = repos.find(|block| scene.is_within(*block)) {
        owner = format!("{owner}/{}", name(repo)?);
    }
    let provider = Provider::ALL.into_iter().find(|known| known.name() == provider(scene))?;
    let server = scene.around().and_then(|around| given(around, "server"));
    let server = server.map(|text| text.trim_matches('"').to_owned());
    let server = server.unwrap_or_else(|| {
        nest_defaults(scene.compiler.database(), scene.compiler.nest()).server.to_string()
    });
    let place = place.replace("{backend}", backend(provider).scheme()).replace("{server}", &server);
    Some(format!("\"{}\"", place.replace("{egg}", &owner)))
}

/// What a text such as "`ydb` on yandex, `dynamodb` on aws" says of one cloud.
fn said_for<'t>(text: &'t str, cloud: &str) -> Option<&'t str> {
    let mut parts = text.split('`').skip(1).step_by(2).zip(text.split('`').skip(2).step_by(2));
    parts.find_map(|(value, after)| {
        let rest = after.strip_prefix(" on ")?.strip_prefix(cloud)?;
        (!rest.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(value)
    })
}

/// The cloud that the block around the cursor is on.
pub(super) fn provider<'a>(scene: &Scene<'a>) -> &'a str {
    let of = |block: syntax::Block<'a>| given(block, "provider").map(|text| text.trim_matches('"'));
    let cloud = |root: syntax::Block<'a>| root.blocks().find(|block| block.is("cloud")).and_then(of);
    let root = scene.root();
    let own = scene.around().and_then(of).or_else(|| root.and_then(cloud));
    let from_profile = || {
        let name = given(root?, "extends")?.strip_prefix("profile.")?;
        let mut profiles = scene.compiler.parse(NEST_FILE)?.blocks().filter(|block| block.is("profile"));
        cloud(profiles.find(|block| block.labels().next().is_some_and(|label| label.name == name))?)
    };
    let from_types = || {
        let root = root.filter(|root| root.is("mothergoose"))?;
        root.blocks().find_map(|block| {
            let schema = schema::root("mothergoose")?.block.child(block.keyword()?.text())?.block;
            let Presence::Derived(how) = schema.attribute("type")?.presence else { return None };
            let written = given(block, "type")?.trim_matches('"');
            ["yandex", "aws", "local"].into_iter().find(|cloud| said_for(how, cloud) == Some(written))
        })
    };
    own.or_else(from_profile).or_else(from_types).unwrap_or(DEFAULT_CLOUD)
}

/// A name made from the word a block is written with that is not in the file yet.
fn unused_name(scene: &Scene<'_>, word: &str) -> String {
    let base = word.replace('_', "-");
    let all =
        (1..).map(|number| if number == 1 { format!("\"{base}\"") } else { format!("\"{base}-{number}\"") });
    let mut free = all.filter(|name| !scene.parse.text().contains(name.as_str()));
    free.next().unwrap_or_default()
}

/// A value of a type, when there is no attribute that has an example.
pub(super) fn of_type(scene: &Scene<'_>, ty: &Type) -> String {
    match ty {
        Type::String | Type::EnvValue | Type::Any => "\"value\"".to_owned(),
        Type::Int { min, max } => 1.clamp(*min, *max).to_string(),
        Type::Float => "1.5".to_owned(),
        Type::Bool | Type::Predicate => "true".to_owned(),
        Type::Duration { min, max, .. } => duration::print(600.clamp(*min, *max)),
        Type::Size { min, max, .. } => size::print((4 << 30).clamp(*min, *max)),
        Type::Percent => "80%".to_owned(),
        Type::Cron => "\"0 3 * * *\"".to_owned(),
        Type::Timezone => "\"UTC\"".to_owned(),
        Type::Fqdn => "\"gitlab.com\"".to_owned(),
        Type::Url => "\"https://gitlab.com\"".to_owned(),
        Type::Email => "\"team@example.com\"".to_owned(),
        Type::Image => "\"debian:12\"".to_owned(),
        Type::Name => "\"my-name\"".to_owned(),
        Type::Secret => "\"vault://path/key\"".to_owned(),
        Type::Script => "\"true\"".to_owned(),
        Type::Condition => "\"age > 24h\"".to_owned(),
        Type::Enum(variants) => format!("\"{}\"", variants.first().map_or("", |variant| variant.name)),
        Type::Keyword(variants) => variants.first().map_or("", |variant| variant.name).to_owned(),
        Type::List(item) => format!("[{}]", of_type(scene, item)),
        Type::Map(item) => format!("{{ name = {} }}", of_type(scene, item)),
        Type::Object(fields) => {
            let fields = fields.iter().filter(|field| field.presence == Presence::Required);
            let fields: Vec<_> = fields.map(|field| format!("{} = {}", field.name, field.example)).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        Type::Entity(_) => format!("\"{}\"", names::eggs(scene).first().map_or("my-name", String::as_str)),
        Type::TypeName => "string".to_owned(),
        Type::Profile => {
            format!("profile.{}", names::profiles(scene).first().map_or("my-name", String::as_str))
        }
    }
}

/// The texts that stand in the brackets around the cursor already.
pub(super) fn written_elements<'a>(scene: &Scene<'a>) -> Vec<&'a str> {
    let tokens = scene.parse.tree().tokens();
    let text = scene.parse.text();
    let from = tokens.partition_point(|token| token.start < scene.cursor.word.start().into());
    let mut depth = 0_u32;
    let mut open = from;
    for at in (0..from).rev() {
        match tokens[at].kind {
            Kind::CloseBracket => depth += 1,
            Kind::OpenBracket if depth == 0 => {
                open = at;
                break;
            }
            Kind::OpenBracket => depth -= 1,
            Kind::OpenBrace => return Vec::new(),
            _ => {}
        }
    }
    let end = |at: usize| tokens.get(at + 1).map_or(text.len(), |next| next.start as usize);
    let inside = (open..tokens.len()).take_while(|at| tokens[*at].kind != Kind::CloseBracket);
    let strings = inside.filter(|at| {
        tokens[*at].kind == Kind::String
            && !TextRange::new(tokens[*at].start.into(), u32::try_from(end(*at)).unwrap_or(u32::MAX).into())
                .contains(scene.offset)
    });
    strings.map(|at| text[tokens[at].start as usize..end(at)].trim_matches('"')).collect()
}
