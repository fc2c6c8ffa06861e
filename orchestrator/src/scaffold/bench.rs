//! A Nest in memory in which a new file is tried.

use fly_std::schema::Attribute;
use flyc::{
    artifact::{EggConfig, Provider},
    compiler::Compiler,
    config,
    diag::{Diagnostic, Severity},
};

use super::{Draft, Field, Kind};

/// The Nest, and what was wrong with it before.
#[derive(Debug)]
pub struct Bench {
    compiler: Compiler,
    before: Vec<Diagnostic>,
}

/// What the language says of a file that was tried.
#[derive(Debug)]
pub struct Verdict {
    /// What the file makes wrong, in itself or elsewhere.
    pub errors: Vec<Diagnostic>,
    /// What is doubtful in it.
    pub warnings: Vec<Diagnostic>,
}

impl Bench {
    /// This Nest.
    pub fn new(compiler: Compiler) -> Self {
        let before = compiler.check();
        Self { compiler, before }
    }

    /// How much was wrong before anything was tried.
    pub fn errors_before(&self) -> usize {
        self.before.iter().filter(|found| found.severity() == Severity::Error).count()
    }

    /// The Nest as it stands.
    pub const fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// The file in which something of this kind and name is already. Eggs and buckets share their names.
    pub fn namesake(&self, kind: Kind, name: &str) -> Option<String> {
        let kinds: &[&str] = match kind {
            Kind::Egg | Kind::Bucket => &["egg", "eggsbucket"],
            Kind::Job => &["job"],
        };
        let of = |path: &&std::sync::Arc<str>| {
            let blocks = self.compiler.typed(path).map_or(&[][..], |typed| &typed.blocks);
            blocks.iter().any(|block| {
                kinds.contains(&block.name.as_str())
                    && block.label.as_ref().is_some_and(|label| *label == name)
            })
        };
        self.compiler.paths().find(of).map(|path| path.to_string())
    }

    /// Tries a file: it stands in the Nest until another is tried.
    pub fn judge(&mut self, path: &str, text: &str) -> Verdict {
        self.compiler.set(path, text);
        let new = self.compiler.check().into_iter().filter(|found| !self.before.contains(found));
        let (errors, rest): (Vec<_>, Vec<_>) = new.partition(|found| found.severity() == Severity::Error);
        let warnings = rest.into_iter().filter(|found| *found.span.file == *path).collect();
        Verdict { errors, warnings }
    }

    /// What an answer would make wrong: the headline and the help of the first thing, if any.
    pub fn objection(&mut self, draft: &Draft, with: &Draft) -> Option<String> {
        let path = draft.file();
        let known = self.judge(&path, &draft.text()).errors;
        let told = |found: &Diagnostic| (found.kind.id, found.message.clone());
        let known: Vec<_> = known.iter().map(told).collect();
        let errors = self.judge(&path, &with.text()).errors;
        let new = errors.iter().find(|found| !known.contains(&told(found)))?;
        let help = new.help.as_ref().map(|help| format!("; {}", help.text)).unwrap_or_default();
        Some(format!("{}{help}", new.message))
    }

    /// The configuration of the egg or bucket that was tried last.
    pub fn egg(&self, path: &str) -> Option<EggConfig> {
        let file = self.compiler.file(path)?;
        let resolved = config::egg_configs(self.compiler.database(), file).first()?.as_ref()?;
        Some(resolved.config.clone())
    }

    /// The cloud that the installation itself is on, when the Nest has one.
    pub fn cloud(&self) -> Option<Provider> {
        let blocks = &self.compiler.typed("MG/config.fly")?.blocks;
        config::installation_provider(blocks.iter().find(|block| block.name == "mothergoose")?)
    }

    /// The GitLab server of eggs that name none.
    pub fn server(&self) -> String {
        config::nest_defaults(self.compiler.database(), self.compiler.nest()).server.to_string()
    }
}

/// Something of a kind that is asked for.
pub fn asked(kind: Kind) -> impl Iterator<Item = (Field, &'static Attribute)> {
    let fields = kind.fields().into_iter().filter(|field| field.asked);
    fields.filter_map(move |field| Some((field, field.attribute(kind)?)))
}
