//! A team repository in a temporary folder, an emulated org beside it, and the real binary run between them. Hermetic: cleared environment, own home,
//! fixed width.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use footbridge::emulator::{self, Emulator};

/// Says what a test leaves out. Past libtest's capture, which takes what `eprintln!` says in a test that passes.
pub fn left_out(what: &str) {
    writeln!(std::io::stderr().lock(), "LEFT OUT: {what}").unwrap();
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Ends the test with everything that was printed unless the exit code is this.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "no `{text}` in\n--- stdout\n{}\n--- stderr\n{}",
            self.out,
            self.err
        );
        self
    }

    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        assert!(
            !self.out.contains(text) && !self.err.contains(text),
            "`{text}` in\n--- stdout\n{}\n--- stderr\n{}",
            self.out,
            self.err
        );
        self
    }
}

/// Repository, org and binary.
pub struct Scene {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    emulator: Option<Emulator>,
    variables: Vec<(String, String)>,
    program: PathBuf,
}

impl Scene {
    /// An org of these options, and an `orgs.yaml` that reaches it as the sandbox of `acme`.
    pub fn with(options: emulator::Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let emulator = runtime.block_on(emulator::serve(options)).unwrap();
        let token = emulator.access_token();
        let folder = tempfile::tempdir().unwrap();
        let variables = vec![("ORG_TOKEN".to_owned(), token)];
        let program = PathBuf::from(env!("CARGO_BIN_EXE_footbridge"));
        let scene = Self { folder, runtime, emulator: Some(emulator), variables, program };
        scene.reach("sandbox", "{ flow: access_token, token: \"${ORG_TOKEN}\" }");
        scene
    }

    /// Writes `orgs.yaml`: the org is this environment of `acme`, with this log-in (YAML).
    pub fn reach(&self, environment: &str, auth: &str) {
        let (url, id) = (self.org().url(), self.org().org_id());
        let text = format!(
            "footbridge: 1\nkind: orgs\nacme:\n  {environment}:\n    domain: {url}\n    org_id: {id}\n    auth: {auth}\n"
        );
        self.write("integrations/orgs.yaml", &text);
    }

    /// The same from one seed text.
    pub fn seeded(seed: &str) -> Self {
        Self::with(emulator::Options { seed_texts: vec![seed.to_owned()], ..Default::default() })
    }

    pub fn org(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    pub fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Every later command is run by this binary instead of the one built for the tests.
    pub fn by(&mut self, program: PathBuf) {
        self.program = program;
    }

    /// Sets a variable of every later command.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(n, _)| n != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// A command that is ready to be run or spawned.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.root()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path("home")).env("COLUMNS", "110").env("TZ", "UTC").env("FOOTBRIDGE_BACKOFF", "none");
        // The keyring of whoever runs the tests is not theirs.
        command.env("FOOTBRIDGE_KEYRING", "off");
        if let Ok(path) = std::env::var("PATH") {
            command.env("PATH", path);
        }
        command.envs(self.variables.iter().map(|(n, v)| (n, v)));
        command
    }

    /// Runs the binary in the repository.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Write calls that reached the org: PATCH, and what else changes records.
    pub fn write_calls(&self) -> usize {
        self.org().calls().iter().filter(|c| c.method == "PATCH").count()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(emulator) = self.emulator.take() {
            self.runtime.block_on(emulator.shutdown());
        }
    }
}
