//! `ci init`: the files say what they may and no more, and nothing of the team's is overwritten.

use serde_json::Value;

use super::*;

const FILES: [&str; 3] = [
    ".github/workflows/footbridge-plan.yml",
    ".github/workflows/footbridge-apply.yml",
    ".github/actions/footbridge/action.yml",
];

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Every mapping's entries, at any depth.
fn entries<'v>(value: &'v Value, found: &mut Vec<(&'v str, &'v Value)>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.push((key, value));
            entries(value, found);
        }),
        Value::Array(list) => list.iter().for_each(|value| entries(value, found)),
        _ => {}
    }
}

#[test]
fn githubs_workflows_have_the_least_rights_and_pinned_actions() {
    let scene = scene();
    scene.run(&["ci", "init", "github"]).exits(0).says("ORG_TOKEN").says("wrote .github/workflows/footbridge-plan.yml");
    for name in FILES {
        let text = scene.read(name);
        assert!(
            !text.contains("{{S") && !text.contains("{{P") && !text.contains("{{A") && !text.contains("{{C"),
            "{text}"
        );
        let document = yaml(&text);
        let mut all = Vec::new();
        entries(&document, &mut all);
        assert!(!all.iter().any(|(key, _)| *key == "pull_request_target"), "{name}");
        for (_, uses) in all.iter().filter(|(key, _)| *key == "uses") {
            let uses = uses.as_str().unwrap();
            let pinned = uses
                .rsplit_once('@')
                .is_some_and(|(_, hash)| hash.len() == 40 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
            assert!(uses == "./.github/actions/footbridge" || pinned, "{name}: {uses}");
        }
        // What somebody typed reaches a shell as a variable's value only, never as a part of the script.
        for (_, run) in all.iter().filter(|(key, _)| *key == "run") {
            assert!(!run.as_str().unwrap().contains("${{"), "{name}: {run}");
        }
    }
    let plan = yaml(&scene.read(FILES[0]));
    assert_eq!(plan["permissions"], json!({}));
    assert_eq!(plan["jobs"]["plan"]["permissions"], json!({"contents": "read", "pull-requests": "write"}));
    assert_eq!(plan["jobs"]["plan"]["steps"][0]["with"]["persist-credentials"], json!(false));
    let steps = plan["jobs"]["plan"]["steps"].as_array().unwrap();
    let env = steps.iter().find(|step| step["name"] == "Plan").unwrap();
    assert_eq!(
        env["env"],
        json!({"BASE": "refs/remotes/origin/${{ github.base_ref }}", "ORG_TOKEN": "${{ secrets.ORG_TOKEN }}"})
    );
    // A plan file leaves the machine encrypted or not at all.
    for step in steps.iter().filter(|step| step["uses"].as_str().is_some_and(|u| u.contains("upload-artifact"))) {
        assert!(step["with"]["path"].as_str().unwrap().ends_with(".age"));
        assert!(step["if"].as_str().unwrap().contains("vars.FOOTBRIDGE_RECIPIENTS != ''"));
    }
    let apply = yaml(&scene.read(FILES[1]));
    assert_eq!(apply["concurrency"], json!({"group": "footbridge-apply", "cancel-in-progress": false}));
    assert_eq!(apply["jobs"]["apply"]["permissions"], json!({"contents": "write"}));
    let on = if apply["on"].is_null() { &apply["true"] } else { &apply["on"] };
    assert_eq!(on["workflow_dispatch"]["inputs"]["env"]["options"], json!(["sandbox"]));
    assert!(on["schedule"].is_array());
}

/// The variables of a step, by its name.
fn step(file: &Value, job: &str, name: &str) -> Value {
    let steps = file["jobs"][job]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap()["env"].clone()
}

#[test]
fn each_job_is_given_what_it_reads_and_a_plan_no_log_in_that_writes() {
    let scene = scene();
    scene.reach("sandbox", "{ flow: access_token, token: \"${ORG_TOKEN}\" }\n    plan_auth: { flow: access_token, token: \"${READ_TOKEN}\" }");
    let url =
        "{ url: \"https://reports.example.com/people.csv\", headers: { Authorization: \"Bearer ${REPORT_TOKEN}\" } }";
    scene.write("integrations/people.yaml", &people_text("  WalkMe_A__c: A\n").replace("exports/people.csv", url));
    let project = "footbridge: 1\nkind: project\nnotices: { url: \"${HOOK}\", headers: { X-Key: \"${HOOK_KEY}\" } }\n";
    scene.write("integrations/project.yaml", project);
    scene.run(&["validate"]).exits(0);
    scene.run(&["ci", "init", "github"]).exits(0).says("READ_TOKEN").says("HOOK_KEY").says("REPORT_TOKEN_HOST");
    let secret = |name: &str| json!(format!("${{{{ secrets.{name} }}}}"));
    let read = ["READ_TOKEN", "REPORT_TOKEN", "REPORT_TOKEN_HOST"];
    let plan = step(&yaml(&scene.read(FILES[0])), "plan", "Plan");
    let mut wanted = json!({"BASE": "refs/remotes/origin/${{ github.base_ref }}"});
    read.iter().for_each(|name| wanted[*name] = secret(name));
    assert_eq!(plan, wanted, "the writer's log-in and the channel's address are not a plan's");
    let apply = step(&yaml(&scene.read(FILES[1])), "apply", "Apply");
    for name in read.iter().chain(&["ORG_TOKEN", "HOOK", "HOOK_KEY"]) {
        assert_eq!(apply[name], secret(name), "{apply}");
    }
    assert!(apply.get("HOOK_HOST").is_none() && apply.get("HOOK_KEY_HOST").is_none(), "{apply}");
    scene.run(&["ci", "init", "gitlab"]).exits(0);
    let text = scene.read(".gitlab-ci.yml");
    for line in
        ["READ_TOKEN: read by plans and applies", "ORG_TOKEN: read by applies only", "HOOK: read by applies only"]
    {
        assert!(text.contains(&format!("#   {line}")), "{line}: {text}");
    }
}

#[test]
fn every_environment_with_a_schedule_is_applied_by_itself() {
    let scene = scene();
    let targets = |production: &str, sandbox: &str, arguments: &[&str]| {
        scene.reach("sandbox", "{ flow: access_token, token: \"${ORG_TOKEN}\" }\n  production:\n    domain: acme.my.salesforce.com\n    org_id: 00D000000000001EAA\n    auth: { flow: access_token, token: \"${ORG_TOKEN}\" }");
        let both = format!("environments: {{ sandbox: {{ {sandbox} }}, production: {{ {production} }} }}");
        scene.write(
            "integrations/people.yaml",
            &people_text("  WalkMe_A__c: A\n").replace("environments: { sandbox: {} }", &both),
        );
        scene.run(&[&["ci", "init", "github", "--force"] as &[&str], arguments].concat()).exits(0);
        let github = step(&yaml(&scene.read(FILES[1])), "apply", "Apply")["TARGETS"].as_str().unwrap().to_owned();
        scene.run(&[&["ci", "init", "gitlab", "--force"] as &[&str], arguments].concat()).exits(0);
        let gitlab = yaml(&scene.read(".gitlab-ci.yml"))["footbridge-apply"]["variables"]["TARGET"].clone();
        let named = github.split('\'').nth(1).unwrap().to_owned();
        assert_eq!(gitlab, json!(named));
        named
    };
    assert_eq!(targets("schedule: daily", "schedule: daily", &[]), "sandbox production");
    assert_eq!(targets("schedule: daily", "", &[]), "production");
    assert_eq!(targets("", "", &[]), "production");
    assert_eq!(targets("", "schedule: daily", &[]), "sandbox production");
    assert_eq!(targets("schedule: daily", "schedule: daily", &["--env", "sandbox"]), "sandbox");
}

#[test]
fn issues_may_be_written_only_where_a_held_run_opens_one() {
    let scene = scene();
    let write = || {
        scene.run(&["ci", "init", "github", "--force"]).exits(0);
        let apply = yaml(&scene.read(FILES[1]));
        let token = step(&apply, "apply", "Apply").get("GITHUB_TOKEN").cloned();
        (apply["jobs"]["apply"]["permissions"].clone(), token)
    };
    let least = (json!({"contents": "write"}), None);
    let issues = (json!({"contents": "write", "issues": "write"}), Some(json!("${{ github.token }}")));
    assert_eq!(write(), least);
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\non_held: issue\n");
    assert_eq!(write(), issues);
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\non_held: log\n");
    assert_eq!(write(), least);
    scene.write("integrations/people.yaml", &format!("{}on_held: issue\n", people_text("  WalkMe_A__c: A\n")));
    assert_eq!(write(), issues);
    // A plan never may.
    assert_eq!(
        yaml(&scene.read(FILES[0]))["jobs"]["plan"]["permissions"],
        json!({"contents": "read", "pull-requests": "write"})
    );
}

#[test]
fn gitlabs_file_never_cuts_an_apply_off() {
    let scene = scene();
    scene.run(&["ci", "init", "gitlab", "--env", "sandbox"]).exits(0);
    let file = yaml(&scene.read(".gitlab-ci.yml"));
    assert_eq!(file["footbridge-apply"]["interruptible"], json!(false));
    assert_eq!(file["footbridge-apply"]["resource_group"], json!("footbridge-apply"));
    assert_eq!(file["footbridge-plan"]["rules"][0]["if"], json!("$CI_PIPELINE_SOURCE == \"merge_request_event\""));
    assert!(file["footbridge-plan"]["artifacts"].is_null(), "plan files are no artifacts");
    assert_eq!(file["variables"]["GIT_DEPTH"], json!("0"));
}

#[test]
fn a_file_of_the_teams_is_left_alone() {
    let scene = scene();
    scene.write(FILES[1], "name: ours\n");
    scene.run(&["ci", "init", "github"]).exits(3).says("FB0943").says("no file was written");
    assert_eq!(scene.read(FILES[1]), "name: ours\n");
    assert!(!scene.path(FILES[0]).exists());
    scene.run(&["ci", "init", "github", "--force"]).exits(0);
    assert!(scene.read(FILES[1]).contains("Footbridge apply"));
    // Written again, they are what they are.
    scene.run(&["ci", "init", "github"]).exits(0);
}

#[test]
fn the_commands_in_the_files_are_commands() {
    let scene = scene();
    scene.run(&["ci", "init", "github"]).exits(0);
    scene.run(&["ci", "init", "gitlab"]).exits(0);
    let (plan, apply) = (scene.run(&["plan", "--help"]).out, scene.run(&["apply", "--help"]).out);
    for (name, help, command) in [
        (FILES[0], &plan, "footbridge plan "),
        (FILES[1], &apply, "set -- apply "),
        (".gitlab-ci.yml", &plan, "footbridge plan "),
    ] {
        let text = scene.read(name);
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(command)).collect();
        assert!(!lines.is_empty(), "{name}");
        for flag in lines
            .iter()
            .flat_map(|line| line.split_whitespace())
            .filter(|word| word.starts_with("--") && word.len() > 2)
        {
            assert!(help.contains(flag), "{name}: {flag}");
        }
    }
}

#[test]
fn what_a_tag_releases_is_made_by_the_actions_that_teams_get_and_with_the_least_rights() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let text = read(".github/workflows/release.yml");
    let pins = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.trim().strip_prefix("uses: ").map(str::to_owned)).collect()
    };
    let given = [pins(&read("src/cli/ci/files/github-plan.yml")), pins(&read("src/cli/ci/files/github-apply.yml"))];
    let given = given.concat();
    let own = pins(&text);
    assert!(!own.is_empty() && own.iter().all(|pin| given.contains(pin)), "{own:?}");
    let release = yaml(&text);
    assert_eq!(release["permissions"], json!({}));
    assert_eq!(release["jobs"]["build"]["permissions"], json!({"contents": "read"}));
    assert_eq!(release["jobs"]["publish"]["permissions"], json!({"actions": "read", "contents": "write"}));
    // No code of the repository, or of its dependencies, runs where the release can be written.
    assert!(release["jobs"]["publish"]["steps"].as_array().unwrap().iter().all(|step| step.get("uses").is_none()));
    let mut all = Vec::new();
    entries(&release, &mut all);
    for (_, run) in all.iter().filter(|(key, value)| *key == "run" && value.is_string()) {
        assert!(!run.as_str().unwrap().contains("${{"), "{run}");
    }
}
