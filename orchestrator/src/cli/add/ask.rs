//! The interview: what the flags left open is asked for, and each answer is judged by the language, in the Nest.

use std::{cell::RefCell, rc::Rc};

use fly_std::{
    Type,
    formats::name,
    schema::{Attribute, Presence},
};

use super::super::{Failure, Global, prompt};
use crate::scaffold::{Bench, Draft, Field, Kind, Repo, Serves, asked, unsaid};

/// The Nest and what is known so far.
pub(super) struct Interview<'a> {
    pub(super) global: &'a Global,
    pub(super) bench: Rc<RefCell<Bench>>,
    pub(super) draft: Draft,
    /// The cloud that is meant when nobody says one.
    pub(super) cloud: &'static str,
}

impl Interview<'_> {
    /// Asks, and gives what is known then.
    pub(super) fn hold(mut self) -> Result<Draft, Failure> {
        let kind = self.draft.kind;
        let inherits = self.draft.said.contains_key("extends");
        for (field, attribute) in asked(kind) {
            if self.draft.said.contains_key(field.flag) {
                continue;
            }
            match field.flag {
                "gitlab-project-id" | "gitlab-group-id" => {}
                // What a profile has is not asked for.
                "type" | "cloud" | "region" | "memory" | "tags" | "concurrent" if inherits => {}
                "region" if self.cloud() == "local" => {}
                _ => self.field(field, attribute)?,
            }
        }
        match kind {
            Kind::Egg => self.project()?,
            Kind::Bucket if self.draft.repos.is_empty() => self.repositories()?,
            Kind::Bucket | Kind::Job => {}
        }
        Ok(self.draft)
    }

    fn cloud(&self) -> &str {
        let said = self.draft.said.get("cloud").and_then(|said| said.first());
        said.map_or(self.cloud, String::as_str)
    }

    fn field(&mut self, field: Field, attribute: &Attribute) -> Result<(), Failure> {
        if let Type::Enum(variants) = attribute.ty {
            let options: Vec<String> =
                variants.iter().map(|variant| format!("{} – {}", variant.name, variant.doc)).collect();
            let first = if field.flag == "cloud" {
                variants.iter().position(|variant| variant.name == self.cloud)
            } else {
                let default = unsaid(attribute).map(|value| value.trim_matches('"'));
                variants.iter().position(|variant| Some(variant.name) == default)
            };
            let help = sentence(attribute.doc);
            let chosen = prompt::select(self.global, field.flag, &help, &options, first.unwrap_or_default())?;
            if let Some(variant) = variants.get(chosen) {
                self.draft.said.insert(field.flag, vec![variant.name.to_owned()]);
            }
            return Ok(());
        }
        // What a block must hold that may be left out isn't needed.
        let required = attribute.presence == Presence::Required && field.path.is_empty();
        let said = self.text(field, attribute, required)?;
        self.draft.said.extend(said.map(|said| (field.flag, said)));
        Ok(())
    }

    /// A text that the language takes; none when it is left to the language.
    fn text(
        &self,
        field: Field,
        attribute: &Attribute,
        required: bool,
    ) -> Result<Option<Vec<String>>, Failure> {
        let list = field.is_list(self.draft.kind);
        let several = if list { ", with commas between them" } else { "" };
        let otherwise = match (required, unsaid(attribute)) {
            (true, _) => format!(". For example {}", attribute.example.trim_matches('"')),
            (false, Some("[]") | None) => ". Enter for none".to_owned(),
            (false, Some(default)) => format!(". Enter for {default}"),
        };
        let help = format!("{}{several}{otherwise}", sentence(attribute.doc));
        let (bench, draft) = (Rc::clone(&self.bench), self.draft.clone());
        let check = move |line: &str| {
            let said = values(line, list);
            if said.is_empty() {
                return if required { Err("it is needed".to_owned()) } else { Ok(()) };
            }
            let mut with = draft.clone();
            with.said.insert(field.flag, said);
            let objection = bench.borrow_mut().objection(&draft, &with);
            objection.map_or(Ok(()), |told| Err(spoken(&told, field.name)))
        };
        let line = prompt::text(self.global, field.flag, &help, check)?;
        let said = values(&line, list);
        Ok((!said.is_empty()).then_some(said))
    }

    /// Which project or group the runners of an egg serve.
    fn project(&mut self) -> Result<(), Failure> {
        let both = ["gitlab-project-id", "gitlab-group-id"];
        if both.iter().any(|flag| self.draft.said.contains_key(flag)) {
            return Ok(());
        }
        let options = ["one project", "every project of a group"].map(str::to_owned);
        let help = "GitLab shows their numbers on their pages, as Project ID and Group ID";
        let chosen = prompt::select(self.global, "what the runners serve", help, &options, 0)?;
        let flag = both.get(chosen).copied().unwrap_or(both[0]);
        let Some((field, attribute)) = asked(self.draft.kind).find(|(field, _)| field.flag == flag) else {
            return Ok(());
        };
        let said = self.text(field, attribute, true)?;
        self.draft.said.extend(said.map(|said| (flag, said)));
        Ok(())
    }

    /// The repositories of a bucket, until there are no more.
    fn repositories(&mut self) -> Result<(), Failure> {
        loop {
            let known: Vec<String> = self.draft.repos.iter().map(|repo| repo.name.clone()).collect();
            let help = if known.is_empty() {
                "The name of a repository that shares the runners, such as api"
            } else {
                "The name of another repository; Enter when there are no more"
            };
            let check = move |line: &str| {
                if line.is_empty() && !known.is_empty() {
                    return Ok(());
                }
                if known.iter().any(|name| name == line) {
                    return Err(format!("`{line}` is in the bucket already"));
                }
                name::parse(line).map(drop).map_err(|error| match error.suggestion {
                    Some(meant) => format!("{}; did you mean `{meant}`?", error.message),
                    None => error.message,
                })
            };
            let name = prompt::text(self.global, "repository", help, check)?;
            if name.is_empty() {
                return Ok(());
            }
            let options = ["one project", "every project of a group"].map(str::to_owned);
            let group = prompt::select(self.global, "what it is", "A project or a group", &options, 0)? == 1;
            let kind = if group { Serves::Group } else { Serves::Project };
            let serves = move |line: &str| kind(line.to_owned());
            let (bench, draft, own) = (Rc::clone(&self.bench), self.draft.clone(), name.clone());
            let check = move |line: &str| {
                if line.is_empty() {
                    return Err("it is needed".to_owned());
                }
                let with = |serves| {
                    let mut with = draft.clone();
                    with.repos.push(Repo { name: own.clone(), serves });
                    with
                };
                // A number that is right stands for the one that is judged.
                let before = with(Serves::Project(String::from("1")));
                let mut bench = bench.borrow_mut();
                bench.objection(&before, &with(serves(line))).map_or(Ok(()), Err)
            };
            let number = prompt::text(self.global, "id", "Its number, as GitLab's page of it shows", check)?;
            self.draft.repos.push(Repo { name, serves: serves(&number) });
        }
    }
}

/// What the language says of an attribute, for an answer that has no name and no quotes.
fn spoken(told: &str, name: &str) -> String {
    told.replace(&format!("write `{name} = "), "write `").replace("`\"", "`").replace("\"`", "`")
}

/// The values that a line holds.
fn values(line: &str, list: bool) -> Vec<String> {
    let parts: Vec<&str> = if list { line.split(',').collect() } else { vec![line] };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A phrase as the beginning of a sentence.
fn sentence(doc: &str) -> String {
    let mut doc = doc.to_owned();
    if let Some(first) = doc.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    doc
}
