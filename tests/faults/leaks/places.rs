//! Places where secrets enter, all at once: every log-in's, those of a report's source, of notices, of CI, of git's remote, the key of values; with
//! servers that do as they are asked, that send everything back, and with bugs.

use std::sync::Mutex;

use super::*;
use crate::gitops::git;
use crate::schedule::hooks::Hook;
use crate::sources::fake::{Fake, Reply};

/// What a source, a hook and an issue tracker may be sent; nobody else.
const OURS: [(&str, &str); 3] =
    [("REPORT_TOKEN", "MARKED-REPORT"), ("HOOK_KEY", "MARKED-HOOK"), ("GITHUB_TOKEN", "MARKED-GITHUB")];
/// In the address of git's remote, where CI puts its token.
const REMOTE: &str = "MARKED-REMOTE";

struct Everywhere {
    marked: Marked,
    source: Fake,
    hook: Hook,
    /// The notice's address was called.
    told: std::cell::Cell<bool>,
}

impl Everywhere {
    /// `echoes`: what servers other than the org answer is what they were sent, as an error.
    fn new(echoes: bool) -> Self {
        let log_ins = "{ flow: jwt, client_id: \"${CLIENT_ID}\", username: \"${USERNAME}\", private_key: \"${KEY}\" }\n    \
                       plan_auth: { flow: sf_cli, target_org: uat }\n    \
                       ci_auth: { flow: access_token, token: \"${CI_TOKEN}\" }";
        let mut marked = Marked::new(log_ins);
        let credentials = marked.job.org().credentials();
        let sf = marked.job.org().session_of(&credentials.username).unwrap();
        let ci = marked.job.org().session_of(&credentials.username).unwrap();
        let (key, of_key) = {
            use age::secrecy::ExposeSecret as _;
            let identity = age::x25519::Identity::generate();
            (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
        };
        let lines: Vec<&str> = credentials.private_key.lines().filter(|line| line.len() == 64).collect();
        assert!(lines.len() > 10, "the key works, and its lines are marks");
        marked.issued.extend(lines.into_iter().map(str::to_owned));
        marked.issued.extend([sf.clone(), ci.clone(), key.clone()]);
        let url = marked.job.org().url();
        let answer = json!({ "status": 0, "result": { "id": "x", "accessToken": sf, "instanceUrl": url, "username": credentials.username } });
        marked.stands_for("sf", &format!("cat <<'EOF'\n{answer}\nEOF"));

        let report = marked.job.scene.read("exports/notes.csv");
        let source = Fake::answering(move |asked, _| match echoes {
            true => Reply::new(401, format!("{}\n{}", asked.target, asked.head))
                .with("X-Sent", asked.header("authorization")),
            false => Reply::new(200, report.clone()),
        });
        let hook = Hook::answering(move |came| match echoes {
            true => Some((500, "", json!({ "message": format!("{came:?}") }))),
            false => Some((200, "", json!("ok"))),
        });
        for (name, value) in [
            ("CLIENT_ID", credentials.client_id.as_str()),
            ("USERNAME", &credentials.username),
            ("KEY", &credentials.private_key),
            ("CI_TOKEN", &ci),
            ("FOOTBRIDGE_KEY", &key),
            ("HOOK", &format!("{}/MARKED-HOOK", hook.url())),
            ("REPORT_TOKEN_HOST", "127.0.0.1"),
            ("GITHUB_API_URL", &hook.url()),
            ("GITHUB_REPOSITORY", "team/repo"),
        ]
        .into_iter()
        .chain(OURS)
        {
            marked.job.scene.set(name, value);
        }
        let scene = &marked.job.scene;
        scene.write(
            "integrations/project.yaml",
            &format!(
                "footbridge: 1\nkind: project\non_held: issue\nvalues: {{ keep: committed, recipients: [{of_key}] }}\n\
                 notices:\n  url: \"${{HOOK}}\"\n  headers: {{ X-Key: \"${{HOOK_KEY}}\" }}\n"
            ),
        );
        let from = format!(
            "source: {{ url: \"{}\", headers: {{ Authorization: \"${{REPORT_TOKEN}}\" }} }}",
            source.url("/notes.csv")
        );
        let notes = scene.read("integrations/notes.yaml");
        let notes = notes.replace("sandbox: {}", "sandbox: { schedule: hourly, retries: 0 }");
        // Another one, which a guard holds back: its issue takes a token.
        let held = notes.replace("name: notes", "name: held").replace("  WalkMe_Note__c: Note\n", "");
        scene.write("integrations/held.yaml", &format!("{held}guards: {{ max_overwrites: 0 }}\n"));
        let notes = notes.replace("source: exports/notes.csv", &from).replace("  WalkMe_Count__c: Count\n", "");
        assert!(notes.contains("REPORT_TOKEN") && notes.contains("hourly"), "{notes}");
        scene.write("integrations/notes.yaml", &notes);
        let root = scene.root();
        git(root, &["init", "--quiet", "-b", "main"]);
        git(root, &["add", "integrations"]);
        git(root, &["commit", "--quiet", "-m", "The integration"]);
        let remote = format!("http://x-access-token:{REMOTE}@127.0.0.1:1/team/repo.git");
        git(root, &["remote", "add", "origin", &remote]);
        Self { marked, source, hook, told: std::cell::Cell::default() }
    }

    /// A machine of GitHub's, for what is due.
    fn in_ci(&mut self) {
        for (name, value) in [("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "schedule")] {
            self.marked.job.scene.set(name, value);
        }
    }

    #[track_caller]
    fn run(&self, what: &str, arguments: &[&str]) -> Ran {
        let ran = self.marked.run(what, arguments);
        self.own(what);
        ran
    }

    /// What was sent to each server beside the org is its own secret, and no other.
    #[track_caller]
    fn own(&self, what: &str) {
        let report = self.source.seen().iter().map(|asked| format!("{asked:?}")).collect::<String>();
        let came = self.hook.came();
        self.told.set(self.told.get() || came.iter().any(|came| came.path.contains("MARKED-HOOK")));
        let hook = came.iter().map(|came| format!("{came:?}")).collect::<String>();
        for secret in self.marked.secrets() {
            assert!(secret == "MARKED-REPORT" || !report.contains(secret), "{what}: the source got {secret}");
            let own = secret == "MARKED-HOOK" || secret == "MARKED-GITHUB";
            assert!(own || !hook.contains(secret), "{what}: the hook got {secret}");
        }
    }

    #[track_caller]
    fn every_command(&self, what: &str) {
        self.marked.every_command(what);
        for arguments in [
            &["plan", "notes", "--base", "HEAD", "--format", "markdown", "-vv"] as &[&str],
            &["apply", "--due", "--yes", "--push", "-vv"],
            &["apply", "notes", "--yes", "--push", "-vv"],
            &["undo", "notes", "--yes", "--push", "-vv"],
            &["runs", "prune", "--keep", "1d", "--push", "--yes", "-vv"],
        ] {
            self.run(what, arguments);
        }
        self.own(what);
    }
}

#[test]
fn no_secret_of_any_place_comes_out() {
    let place = Everywhere::new(false);
    place.marked.job.scene.write("integrations/project.yaml", &{
        let text = place.marked.job.scene.read("integrations/project.yaml");
        format!("{text}git: {{ remote: origin }}\n")
    });
    place.every_command("everywhere");
    assert!(place.marked.called("sf") && place.marked.called("git"));
    assert!(!place.source.seen().is_empty(), "the source was asked, with its token");
    // Each secret was on its way.
    let grants = place.marked.job.org().calls();
    assert!(grants.iter().any(|c| c.path == "/services/oauth2/token" && c.status == 200), "the key logs in");
}

#[test]
fn no_secret_of_any_place_comes_out_of_ci_with_servers_that_send_it_back() {
    let mut place = Everywhere::new(true);
    place.in_ci();
    // First of all: a run that fails is news, and one that fails as the one before did is none.
    place.run("sent back", &["apply", "--due", "--yes", "-vv"]).says("FB0870");
    assert!(!place.source.seen().is_empty() && place.told.get());
    place.every_command("sent back");
}

#[test]
fn no_secret_of_any_place_comes_out_of_bugs() {
    for stage in ["start", "planned", "sending"] {
        let mut place = Everywhere::new(false);
        place.in_ci();
        place.marked.job.scene.set("FOOTBRIDGE_PANIC", stage);
        place.marked.job.scene.set("RUST_BACKTRACE", "full");
        place.every_command(stage);
    }
}

/// Its own secrets open nothing else and are told; those of the environment are not.
#[test]
fn no_secret_comes_out_of_an_org_of_its_own() {
    let mut marked = Marked::new(REFRESH);
    // Every emulator's first session is the same: the one here is not that of the environment.
    marked.issued.clear();
    marked.job.scene.set("ORG_TOKEN", "MARKED-PASSWORD-ORG");
    marked.run("demo", &["demo", "tried", "--port", "0", "-vv"]).exits(0);
    marked.run("demo again", &["demo", "tried", "--port", "0", "-vv"]).exits(3);
    let running = marked.job.start(&["emulator", "--port", "0", "-vv"]);
    let printed = || {
        std::fs::read_dir(marked.job.scene.root()).unwrap().filter_map(Result::ok).any(|entry| {
            std::fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("An emulated Salesforce org listens"))
        })
    };
    until("the emulator listens", printed);
    running.kill();
    let nothing = Ran { code: 0, out: String::new(), err: String::new() };
    marked.clean("emulator", &nothing);
    marked.job.scene.set("FOOTBRIDGE_PANIC", "start");
    for arguments in [&["demo", "other", "--port", "0", "-vv"] as &[&str], &["emulator", "--port", "0", "-vv"]] {
        marked.run("a bug", arguments).exits(70);
    }
}

/// The comment on a pull request: its token, whatever the host answers.
#[test]
fn no_token_of_ci_comes_out_of_the_comment() {
    for gitlab in [false, true] {
        for status in [200, 302, 403, 500] {
            let seen = std::sync::Arc::new(Mutex::new(0));
            let count = seen.clone();
            let hook = Hook::answering(move |came| {
                *count.lock().unwrap() += 1;
                Some((
                    status,
                    "Location: /?t=MARKED-PASSWORD-GITHUB_TOKEN\r\n",
                    json!({ "message": format!("{came:?}") }),
                ))
            });
            let mut marked = Marked::new(TOKEN);
            let scene = &mut marked.job.scene;
            let url = hook.url();
            for (name, value) in match gitlab {
                true => vec![
                    ("GITLAB_CI", "true"),
                    ("CI_MERGE_REQUEST_IID", "3"),
                    ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
                    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
                    ("CI_API_V4_URL", url.as_str()),
                ],
                false => vec![("GITHUB_API_URL", url.as_str())],
            } {
                scene.set(name, value);
            }
            if !gitlab {
                for (name, value) in crate::review::variables(scene, false) {
                    scene.set(name, &value);
                }
            }
            for _ in 0..2 {
                let ran = marked.run(&format!("{status}"), &["ci", "comment", "review.md", "-vv"]);
                assert_ne!(ran.code, 70, "{}", ran.err);
                // GitLab's token of the job, where it has no other.
                marked.job.scene.set("GITLAB_TOKEN", "");
            }
            assert!(*seen.lock().unwrap() > 0, "nothing was sent");
            marked.job.scene.set("FOOTBRIDGE_PANIC", "start");
            marked.run("a bug", &["ci", "comment", "review.md", "-vv"]).exits(70);
        }
    }
}
