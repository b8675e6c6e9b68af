//! The whole way: files → documents → valid documents, with everything that is wrong in any of them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diag::{Code, Diagnostic, Diagnostics, Severity, SourceFile, Span};
use crate::model::EnvironmentName;

use super::decode::decode;
use super::document::{Document, Kind};
use super::files::{FileProblem, Files, Folder, MAX_BYTES};
use super::unusable::{Part, Unusable, unusable};
use super::valid::{Report, Repository, Spanned};
use super::validate::{self, Check, Neighbours, ProjectDefaults};
use super::yaml::{Node, Plain, Scalar, parse, text_of};
use super::{shape, written};

/// What a repository says, and what is wrong with it.
#[derive(Debug)]
pub struct Loaded {
    /// The valid documents. With errors in `diagnostics`: what is left without those at fault.
    pub repository: Repository,
    /// Everything found, sorted by file and place.
    pub diagnostics: Diagnostics,
    /// Integrations that an error keeps from running, by name.
    pub unusable: Vec<Unusable>,
    /// Is it known where run logs go? Not where the project file cannot be read, or where what it says of that is wrong.
    pub logs_known: bool,
    /// How many files were read.
    pub files: usize,
}

/// Which variables of the environment must be set.
#[derive(Debug, Clone, Copy)]
pub enum Variables<'a> {
    /// Those of every org and environment, and of every header.
    All,
    /// Those of every org in these environments; others, and headers, come as `Unset` when theirs are not set.
    Only(&'a [EnvironmentName]),
}

/// Reads the repository at `root`; every variable must be set.
pub fn load(root: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Loaded {
    load_files(&Folder::new(root), environment, Variables::All)
}

/// Reads the repository at `root`; only the variables of these environments must be set.
pub fn load_for(root: &Path, environment: &dyn Fn(&str) -> Option<String>, needed: &[EnvironmentName]) -> Loaded {
    load_files(&Folder::new(root), environment, Variables::Only(needed))
}

/// Reads a repository from any place.
pub fn load_files(files: &dyn Files, environment: &dyn Fn(&str) -> Option<String>, variables: Variables<'_>) -> Loaded {
    let mut loader = Loader {
        found: Diagnostics::new(),
        documents: Vec::new(),
        lost: Vec::new(),
        unusable: Vec::new(),
        logs_known: true,
        environment,
        headers_needed: matches!(variables, Variables::All),
    };
    let (paths, problems) = files.list();
    for (path, problem) in problems {
        loader.unreadable(&path, &problem);
    }
    for path in &paths {
        match files.read(path) {
            Ok(bytes) => loader.file(path, &bytes),
            Err(problem) => loader.unreadable(path, &problem),
        }
    }
    let repository = loader.validate(&|_, environment| match variables {
        Variables::All => true,
        Variables::Only(needed) => needed.contains(&environment),
    });
    loader.nothing_configured(paths.len());
    let Loader { found, unusable, logs_known, .. } = loader;
    Loaded { repository, diagnostics: found.sorted(), unusable, logs_known, files: paths.len() }
}

/// A document with its kind and its data; `decodable` when its shape is right.
struct Shaped {
    document: Document,
    kind: Kind,
    data: Value,
    decodable: bool,
    /// Something was taken out of the data, so that what is missing now may have been there.
    pruned: bool,
}

struct Loader<'a> {
    found: Diagnostics,
    documents: Vec<Shaped>,
    /// Files that could not be read: what they declare is not known.
    lost: Vec<Part>,
    unusable: Vec<Unusable>,
    logs_known: bool,
    environment: &'a dyn Fn(&str) -> Option<String>,
    headers_needed: bool,
}

impl Loader<'_> {
    fn unreadable(&mut self, path: &str, problem: &FileProblem) {
        let file = SourceFile::new(path, "");
        let diagnostic = match problem {
            FileProblem::TooLarge(_) => {
                Diagnostic::error(Code::FileTooLarge, format!("{path} is too large: {problem}")).help(format!(
                    "a file of configuration has at most {MAX_BYTES} bytes; keep reports outside `integrations/`"
                ))
            }
            FileProblem::Io(_) => Diagnostic::error(Code::FileUnreadable, format!("{path} cannot be read: {problem}"))
                .help("check the file and its permissions, or delete it"),
        };
        self.found.push(diagnostic.at(Span::new(&file, 0..0), ""));
        self.lost.push(Part::lost(path, ""));
    }

    fn file(&mut self, path: &str, bytes: &[u8]) {
        if bytes.len() as u64 > MAX_BYTES {
            return self.unreadable(path, &FileProblem::TooLarge(bytes.len() as u64));
        }
        let mut found = Diagnostics::new();
        let before = self.documents.len();
        if let Some(source) = text_of(path, bytes, &mut found)
            && let Some((tree, data)) = parse(&source, &mut found)
            && let Some(shaped) = shaped(Document { file: source.file, tree }, data, &mut found)
        {
            validate::misplaced(&shaped.document, shaped.kind, &mut found);
            self.documents.push(shaped);
        }
        if self.documents.len() == before {
            self.lost.push(Part::lost(path, &String::from_utf8_lossy(bytes)));
        }
        // After so many, the rest are most likely consequences; and a hostile file could have a hundred thousand.
        let more = found.len().saturating_sub(shape::MAX_TOLD);
        for (index, diagnostic) in found.into_iter().take(shape::MAX_TOLD).enumerate() {
            let last = more > 0 && index + 1 == shape::MAX_TOLD;
            let note = format!("{more} more problems in this file are not shown");
            self.found.push(if last { diagnostic.note(note) } else { diagnostic });
        }
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Shaped> {
        self.documents.iter().filter(move |d| d.kind == kind)
    }

    fn validate(&mut self, needed: &validate::Needed<'_>) -> Repository {
        let mut found = std::mem::take(&mut self.found);
        let mut repository = Repository::default();
        let defaults = self.project(&mut found);
        repository.project = defaults.project.clone();

        let mut org_names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut first: HashMap<String, Span> = HashMap::new();
        for shaped in self.of_kind(Kind::Orgs) {
            for name in shaped.document.keys(&[]).into_iter().filter(|n| !matches!(*n, "footbridge" | "kind")) {
                let span = shaped.document.key(&[name]);
                if let Some(earlier) = first.get(name) {
                    found.push(twice(Code::DuplicateOrg, "org", name, span, earlier));
                    continue;
                }
                first.insert(name.to_owned(), span);
                let environments = shaped.document.keys(&[name]).into_iter().map(str::to_owned).collect();
                org_names.insert(name.to_owned(), environments);
            }
            let api_version = &defaults.project.api_version;
            self.valid(shaped, &mut found, |check, written: &written::Orgs| {
                for (name, org) in validate::orgs(check, written, api_version, needed) {
                    repository.orgs.entry(name).or_insert(org);
                }
            });
        }

        let mut reports: BTreeMap<String, Option<Spanned<Report>>> = BTreeMap::new();
        for shaped in self.of_kind(Kind::Report) {
            let Some(name) = text_at(&shaped.document, "name") else { continue };
            let span = shaped.document.value(&["name"]);
            let mut valid = None;
            self.valid(shaped, &mut found, |check, written: &written::ReportDocument| {
                valid = validate::catalogue_report(check, written).map(|report| Spanned::new(report, span.clone()));
            });
            if let Some(earlier) = first.get(&format!("report {name}")) {
                found.push(twice(Code::DuplicateReport, "report", &name, span, earlier));
                continue;
            }
            first.insert(format!("report {name}"), span);
            reports.insert(name, valid);
        }

        let neighbours = Neighbours { defaults: &defaults, orgs: &org_names, reports: &reports };
        for shaped in self.of_kind(Kind::Integration) {
            let Some(name) = text_at(&shaped.document, "name") else { continue };
            let span = shaped.document.value(&["name"]);
            let mut valid = None;
            self.valid(shaped, &mut found, |check, written: &written::Integration| {
                valid = validate::integration(check, written, &neighbours);
            });
            if let Some(earlier) = first.get(&format!("integration {name}")) {
                found.push(twice(Code::DuplicateIntegration, "integration", &name, span, earlier));
                continue;
            }
            first.insert(format!("integration {name}"), span);
            if let Some(valid) = valid {
                repository.integrations.insert(name, valid);
            }
        }

        let mut known = validate::Known::new();
        for shaped in self.of_kind(Kind::KnownFailures) {
            self.valid(shaped, &mut found, |check, written: &written::KnownFailures| {
                validate::known_failures(check, written, &mut known);
            });
        }
        repository.known_failures = known.into_values().collect();
        validate::contested_fields(&repository.integrations, &mut found);
        repository.reports = reports.into_iter().filter_map(|(name, report)| Some((name, report?))).collect();
        // What is not used may be used by a document that has a mistake elsewhere.
        if !found.has_errors() {
            validate::unused(&repository, &defaults.lints_off, &mut found);
            validate::unmet(&repository, &mut found);
        }
        self.logs_known = self.knows_logs(&found);
        self.unusable = unusable(&self.parts(), &found, &repository);
        // An integration is valid only without an error in its own file.
        let at_fault: Vec<String> = found
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .filter_map(|d| d.span().map(|s| s.file().path().to_owned()))
            .collect();
        repository.integrations.retain(|_, i| !at_fault.iter().any(|path| path == i.span.file().path()));
        self.found = found;
        repository
    }

    fn project(&self, found: &mut Diagnostics) -> ProjectDefaults {
        let mut defaults = ProjectDefaults::default();
        let mut first: Option<Span> = None;
        for shaped in self.of_kind(Kind::Project) {
            let span = shaped.document.value(&["kind"]);
            if let Some(earlier) = &first {
                found.push(
                    Diagnostic::error(Code::DuplicateProject, "a repository has one project file")
                        .at(span, "a second one")
                        .and(earlier.clone(), "the first one")
                        .help("move what it says into the first one, and delete this file"),
                );
                continue;
            }
            first = Some(span);
            self.valid(shaped, found, |check, written: &written::Project| defaults = validate::project(check, written));
        }
        defaults
    }

    fn valid<T: DeserializeOwned>(
        &self,
        shaped: &Shaped,
        found: &mut Diagnostics,
        read: impl FnOnce(&mut Check<'_>, &T),
    ) {
        if !shaped.decodable {
            return;
        }
        let written = match decode::<T>(&shaped.document, shaped.data.clone()) {
            Ok(written) => written,
            Err(diagnostic) => return found.push(diagnostic),
        };
        let mut own = Diagnostics::new();
        let mut check = Check {
            document: &shaped.document,
            found: &mut own,
            environment: self.environment,
            headers_needed: self.headers_needed,
        };
        read(&mut check, &written);
        // Where something is missing because it was taken out, or stands in a file that could not be read, that mistake is told already.
        let doubtful = |d: &Diagnostic| match d.code {
            Code::GoalRequired
            | Code::TagMissing
            | Code::MissingKey
            | Code::SandboxFirst
            | Code::BadWindow
            | Code::SharedWithoutWhere => shaped.pruned,
            Code::UnknownOrg | Code::UnknownEnvironment => self.has_lost(Kind::Orgs),
            Code::UnknownReport => self.has_lost(Kind::Report),
            _ => false,
        };
        found.extend(own.into_iter().filter(|d| !doubtful(d)));
    }

    fn has_lost(&self, kind: Kind) -> bool {
        self.lost.iter().any(|part| part.kind == Some(kind))
    }

    /// Every file, as far as it can be read.
    fn parts(&mut self) -> Vec<Part> {
        let part = |shaped: &Shaped| Part {
            path: shaped.document.file.path().to_owned(),
            kind: Some(shaped.kind),
            data: shaped.document.tree.to_json(),
        };
        self.documents.iter().map(part).chain(std::mem::take(&mut self.lost)).collect()
    }

    /// Is what the project says of run logs there to be read, and right?
    fn knows_logs(&self, found: &Diagnostics) -> bool {
        let lost = |part: &Part| part.kind.is_none_or(|kind| kind == Kind::Project);
        let projects: Vec<&Shaped> = self.of_kind(Kind::Project).collect();
        let project = match projects.as_slice() {
            _ if self.lost.iter().any(lost) => return false,
            [] => return true,
            [one] if one.decodable => &one.document,
            _ => return false,
        };
        let own = |span: &Span| span.file().path() == project.file.path();
        found.iter().filter(|d| d.severity == Severity::Error && d.span().is_some_and(own)).all(|error| {
            // A key that is not known, or doubled, may be one of them.
            let meant = matches!(error.code, Code::UnknownKey | Code::DuplicateKey);
            let at = error.span().map_or(0, |span| span.range().start);
            !meant && !["runs", "git"].iter().any(|key| project.holds(key, at))
        })
    }

    fn nothing_configured(&mut self, files: usize) {
        if files > 0 || !self.found.is_empty() {
            return;
        }
        self.found.push(
            Diagnostic::error(Code::NothingConfigured, "there is no configuration here")
                .help("run `footbridge init` to make integrations/, or go to the folder that holds it")
                .note("looked for *.yaml and *.yml below integrations/"),
        );
    }
}

fn twice(code: Code, what: &str, name: &str, span: Span, first: &Span) -> Diagnostic {
    Diagnostic::error(code, format!("there are two {what}s called `{name}`"))
        .at(span, "the second one")
        .and(first.clone(), "the first one")
        .help("give one of them another name")
}

fn text_at(document: &Document, key: &str) -> Option<String> {
    document.tree.child(key).and_then(|(_, value)| value.as_text()).map(str::to_owned)
}

/// Finds out the kind of a document, and checks its shape.
fn shaped(document: Document, mut data: Value, found: &mut Diagnostics) -> Option<Shaped> {
    if !matches!(document.tree.node, Node::Map(_)) {
        let span = document.value(&[]);
        found.push(
            Diagnostic::error(Code::WrongType, "a document is a mapping of keys to values")
                .at(span, "not a mapping")
                .help("begin with the lines `footbridge: 1` and `kind: integration`"),
        );
        return None;
    }
    version(&document, found);
    let kind = kind(&document, found)?;
    // The version is told above; for the rest of the document it is taken for 1.
    if let Value::Object(object) = &mut data {
        object.insert("footbridge".into(), Value::from(1));
    }
    let mut wrong = Vec::new();
    let before: Vec<_> = found.iter().filter_map(|d| d.span().map(crate::diag::Span::range)).collect();
    let decodable = shape::check(&document, kind, &mut data, &mut wrong);
    let pruned = !wrong.is_empty();
    // A value that was refused already needs no second complaint.
    found.extend(wrong.into_iter().filter(|d| d.span().is_none_or(|span| !before.contains(&span.range()))));
    Some(Shaped { document, kind, data, decodable, pruned })
}

fn version(document: &Document, found: &mut Diagnostics) {
    let problem = match document.tree.child("footbridge").map(|(_, value)| &value.node) {
        Some(Node::Scalar(Scalar::Other(Plain::Integer(1)))) => return,
        Some(_) => "this version of the format is not known",
        None => "the format's version is missing",
    };
    let span =
        if document.tree.child("footbridge").is_some() { document.value(&["footbridge"]) } else { document.value(&[]) };
    let label = if problem.ends_with("missing") { "the document begins here" } else { "only 1 is known" };
    found.push(
        Diagnostic::error(Code::FormatVersion, problem).at(span, label).help("write `footbridge: 1` as the first line"),
    );
}

fn kind(document: &Document, found: &mut Diagnostics) -> Option<Kind> {
    let words = Kind::ALL.map(Kind::as_str);
    let Some((_, value)) = document.tree.child("kind") else {
        let span = document.value(&[]);
        found.push(
            Diagnostic::error(Code::UnknownKind, "the document does not say its kind")
                .at(span, "the document begins here")
                .help("write `kind: integration` (or orgs, report, project) as the second line"),
        );
        return None;
    };
    let written = value.as_text().unwrap_or_default();
    let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == written);
    if known.is_none() {
        let span = document.value(&["kind"]);
        found.push(
            Diagnostic::error(Code::UnknownKind, "this kind of document is not known")
                .at(span, "an integration, orgs, a report or the project")
                .maybe_help(shape::near_words(written, &words)),
        );
    }
    known
}
