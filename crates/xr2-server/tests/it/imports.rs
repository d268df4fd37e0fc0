//! Importing CSV files and folders of Markdown.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use xr2_server::auth::{Access, Role};
use xr2_server::features::imports::{self, Batch, Notation, Report, Settings};
use xr2_testkit::{Options, TestApp, both};

use crate::support::{Unchanged, check_revisions, delivered, details, events, put, text};

const PUBLISHED: Settings = Settings { dry_run: false, publish: true };

/// A file of that name with that content, in a folder of its own.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("writing the file");
    (folder, path)
}

fn read(path: &Path) -> Batch {
    imports::read(path, None).expect("a file that can be read")
}

async fn apply(app: &TestApp, batch: Batch, settings: Settings) -> Report {
    let access = Access::internal(app.workspace(), "Import");
    let (total, mut steps) = (batch.found.len(), Vec::new());
    let report = imports::apply(app.app(), &access, batch, settings, |done| steps.push(done))
        .await
        .expect("an import");
    assert_eq!(steps, (1..=total).collect::<Vec<_>>(), "progress counts every prompt once");
    report
}

fn skipped(report: &[imports::Skipped]) -> Vec<String> {
    report.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason)).collect()
}

const TABLE: &str = "\u{feff}Act,prompt,for_devs,type,contributor,tags,Description\r\n\
    Greeter,\"Say hello to ${Name:Ana} of ${Company Type: Big Company},\nplease.\",TRUE,TEXT,ana,\"a; b,c;a\",Greets\r\n\
    Plain,\"He said \"\"hi\"\", {{Hostname}} {x}\",FALSE,TEXT,ben,,\r\n\
    Greeter,Another ${Name},,,,,\r\n";

both!(a_table, |app| async move {
    let (_folder, path) = file("team.csv", TABLE);
    let batch = read(&path);
    assert_eq!((batch.source.as_str(), batch.found.len(), batch.skipped.len()), ("team.csv", 3, 0));
    assert_eq!(batch.found[1].place, "team.csv line 4", "lines are those of the file, whatever cells hold");

    let report = apply(&app, batch.clone(), PUBLISHED).await;
    assert_eq!(
        (report.created.as_slice(), report.unchanged),
        (&["greeter".to_owned(), "plain".to_owned(), "greeter-2".to_owned()][..], 0)
    );
    assert!(report.updated.is_empty() && report.skipped.is_empty());
    let owner = app.owner().await;
    let greeter = details(&owner, "greeter").await;
    assert_eq!(
        (&greeter["title"], &greeter["description"], &greeter["category"]),
        (&json!("Greeter"), &json!("Greets"), &json!("text"))
    );
    assert_eq!(greeter["tags"], json!(["a", "b", "c", "developers"]));
    assert_eq!(
        greeter["metadata"],
        json!({ "contributor": "ana", "import": { "source": "team.csv", "key": "Greeter" } })
    );
    assert_eq!(greeter["version"]["content"], "Say hello to {{ name }} of {{ company_type }},\nplease.");
    assert_eq!(greeter["version"]["change_summary"], "Imported from team.csv");
    let variables = greeter["version"]["variables"].as_array().unwrap();
    assert_eq!(
        (&variables[0]["name"], &variables[0]["default"], &variables[0]["type"]),
        (&json!("name"), &json!("Ana"), &json!("string"))
    );
    assert_eq!(
        (&variables[1]["default"], &variables[1]["description"]),
        (&json!("Big Company"), &json!("Company Type"))
    );
    assert_eq!(greeter["created_by"], json!({ "type": "system", "id": null, "name": "Import" }));
    assert_eq!(delivered(&owner, "greeter?render=true").await, "Say hello to Ana of Big Company,\nplease.");
    assert_eq!(
        delivered(&owner, "plain").await,
        "He said \"hi\", {{Hostname}} {x}",
        "what is no variable stays"
    );
    owner.get("/prompts/greeter-2?render=true").await.error(422, "MISSING_VARIABLES");
    assert_eq!(delivered(&owner, "greeter-2?name=Cy").await, "Another Cy");
    let kinds: Vec<String> = events(&app).await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["prompt.created", "prompt.published"].repeat(3));

    // A second run changes nothing, and tells nobody.
    let unchanged = Unchanged::since(&app).await;
    let again = apply(&app, batch, PUBLISHED).await;
    assert_eq!(
        (again.created.len(), again.updated.len(), again.unchanged, again.skipped.len()),
        (0, 0, 3, 0)
    );
    unchanged.check().await;
    check_revisions(&app).await;
});

both!(a_dry_run_changes_nothing, |app| async move {
    let rows: String = (0..60).map(|n| format!("Title {n},text {n}\n")).collect();
    let (_folder, path) = file("many.csv", format!("title,content\n{rows}"));
    let unchanged = Unchanged::since(&app).await;
    let dry = apply(&app, read(&path), Settings { dry_run: true, publish: true }).await;
    unchanged.check().await;
    let real = apply(&app, read(&path), PUBLISHED).await;
    assert_eq!(dry.created, real.created, "it said what would happen");
    assert_eq!(real.created.len(), 60);
    let unchanged = Unchanged::since(&app).await;
    assert_eq!(apply(&app, read(&path), Settings { dry_run: true, publish: true }).await.unchanged, 60);
    unchanged.check().await;
});

both!(what_people_edited_is_kept, |app| async move {
    let owner = app.owner().await;
    let (folder, path) = file("t.csv", "title,content\nA,one\nB,one\nC,one\nD,one\nE,one\n");
    apply(&app, read(&path), PUBLISHED).await;
    put(&owner, "a", json!({ "content": "edited by hand" })).await;
    put(&owner, "b", json!({ "title": "Renamed", "slug": "renamed", "tags": ["mine"] })).await;
    owner.post("/prompts/c/archive", json!({})).await.ok();
    owner.delete("/prompts/d").await.ok();
    fs::write(folder.path().join("t.csv"), "title,content\nA,two\nB,two\nC,two\nD,two\nE,two\n").unwrap();
    app.new_events().await;
    let report = apply(&app, read(&path), PUBLISHED).await;
    assert_eq!(
        (report.created.len(), report.unchanged, report.updated.as_slice()),
        (0, 0, &["renamed".to_owned(), "e".to_owned()][..])
    );
    let told = skipped(&report.skipped);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].starts_with("t.csv line 2: it was edited")
            && told[2].starts_with("t.csv line 5:")
            && told[2].contains("bin"),
        "{told:?}"
    );
    assert_eq!(app.new_events().await, ["version.created", "prompt.published"].repeat(2));
    let shown = details(&owner, "renamed").await;
    assert_eq!(
        (&shown["title"], &shown["tags"], &shown["latest_version"]),
        (&json!("Renamed"), &json!(["mine"]), &json!(2))
    );
    assert_eq!((&shown["version"]["content"], &shown["version"]["parent"]), (&json!("two"), &json!(1)));
    assert_eq!(shown["version"]["change_summary"], "Imported again from t.csv");
    assert_eq!(delivered(&owner, "a").await, "edited by hand");
    assert_eq!(delivered(&owner, "c").await, "one");
    assert_eq!(delivered(&owner, "e").await, "two");
    // Purged, it comes anew.
    owner.delete("/prompts/d?permanent=true").await.ok();
    assert_eq!(apply(&app, read(&path), PUBLISHED).await.created, ["d"]);
});

both!(names_that_are_taken, |app| async move {
    let owner = app.owner().await;
    text(&owner, "greeting", "mine").await;
    owner.post("/prompts/greeting/duplicate", json!({ "slug": "copy" })).await.created();
    let (_folder, path) = file(
        "t.csv",
        "title,content,slug\nGreeting,theirs,\nOther,x,my-slug\nBad,x,Not A Slug\nReserved,x,search\n",
    );
    let report = apply(&app, read(&path), PUBLISHED).await;
    assert_eq!(report.created, ["greeting-2", "my-slug"]);
    let told = skipped(&report.skipped);
    assert!(told[0].starts_with("t.csv line 4: slug:") && told[1].contains("reserved"), "{told:?}");
    assert_eq!(delivered(&owner, "greeting").await, "mine");
    // A copy of an imported prompt is somebody's own: the next import does not take it for the original.
    let copy = owner.post("/prompts/greeting-2/duplicate", json!({ "slug": "greeting-3" })).await.created();
    assert_eq!(copy.data()["metadata"].get("import"), None);
    let unchanged = Unchanged::since(&app).await;
    assert_eq!(apply(&app, read(&path), PUBLISHED).await.unchanged, 2);
    unchanged.check().await;
});

both!(rows_that_cannot_be, |app| async move {
    let mut table = b"title,content,tags,description,category\nFine,x,,,\n,no title,,,\nNo text,,,,\nBlank,\"  \",,,\nShort,x\nLong,x,,,,y\nBad \xff,x,,,\nNul,a\0b,,,\n".to_vec();
    table.extend_from_slice(format!("Tag,x,{},,\n", "t".repeat(51)).as_bytes());
    table.extend_from_slice(format!("Described,x,,{},\n", "d".repeat(4001)).as_bytes());
    table.extend_from_slice(format!("Sorted,x,,,{}\n", "c".repeat(101)).as_bytes());
    table.extend_from_slice(b"Last,\"y\nz\",,,\n");
    let (_folder, path) = file("t.csv", table);
    let report = apply(&app, read(&path), PUBLISHED).await;
    assert_eq!(report.created, ["fine", "last"]);
    let told = skipped(&report.skipped);
    let expected = [
        ("t.csv line 3", "title is empty"),
        ("t.csv line 4", "content is empty"),
        ("t.csv line 5", "content is empty"),
        ("t.csv line 6", "2 columns instead of 5"),
        ("t.csv line 7", "6 columns instead of 5"),
        ("t.csv line 8", "not valid UTF-8"),
        ("t.csv line 9", "NUL"),
        ("t.csv line 10", "tags"),
        ("t.csv line 11", "description"),
        ("t.csv line 12", "category"),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, (place, reason)) in told.iter().zip(expected) {
        assert!(
            told.starts_with(&format!("{place}: ")) && told.contains(reason),
            "{told} should be {place}: {reason}"
        );
    }
});

both!(texts_that_are_too_large, Options::new().set("limits.content_bytes", 1024), |app| async move {
    let (_folder, path) = file("t.csv", format!("title,content\nA,{}\nB,ok\n", "x".repeat(1025)));
    let report = apply(&app, read(&path), PUBLISHED).await;
    assert_eq!((report.created.as_slice(), report.skipped.len()), (&["b".to_owned()][..], 1));
    assert!(report.skipped[0].reason.contains("1025 bytes"), "{:?}", report.skipped);
});

both!(whoever_may_not_publish, |app| async move {
    let owner = app.owner().await;
    owner.put("/labels/production", json!({ "protected": true })).await.ok();
    let (_folder, path) = file("t.csv", "title,content\nA,one\n");
    let access = Access { rights: Role::Editor.rights(), ..Access::internal(app.workspace(), "Import") };
    let unchanged = Unchanged::since(&app).await;
    let report = imports::apply(app.app(), &access, read(&path), PUBLISHED, |_| ()).await.unwrap();
    assert!(report.created.is_empty() && report.skipped[0].reason.contains("protected"), "{report:?}");
    unchanged.check().await;
    let quiet = Settings { dry_run: false, publish: false };
    let report = imports::apply(app.app(), &access, read(&path), quiet, |_| ()).await.unwrap();
    assert_eq!(report.created, ["a"]);
    owner.get("/prompts/a").await.error(404, "NOT_FOUND");
});

#[test]
fn files_that_cannot_be_read() {
    for (name, content, says) in [
        ("t.csv", "", "columns"),
        ("t.csv", "a,b\n1,2\n", "title"),
        ("t.csv", "title,author\nx,y\n", "prompt"),
        ("t.json", "{}", "expected"),
        ("t", "x", "expected"),
    ] {
        let (_folder, path) = file(name, content);
        let error = imports::read(&path, None).expect_err(content);
        assert!(error.contains(says) && error.contains(name), "{error}");
    }
    let folder = TempDir::new().unwrap();
    assert!(imports::read(&folder.path().join("nowhere.csv"), None).unwrap_err().contains("nowhere.csv"));
    assert!(imports::read(folder.path(), None).unwrap_err().contains("no .md files"));
    assert!("curly".parse::<Notation>().is_err());
}

#[test]
fn tables_as_programs_write_them() {
    for (table, titles, texts) in [
        ("title;content\nA;one, two", Some(vec!["A"]), Some(vec!["one, two"])),
        ("title,content\r\nA,one\r\nB,two", Some(vec!["A", "B"]), Some(vec!["one", "two"])),
        ("\"title\",\"content\"\n\"A, B\",\"x\"\"y\"\n", Some(vec!["A, B"]), Some(vec!["x\"y"])),
        (" Title , PROMPT \n  A  ,  one  \n", Some(vec!["A"]), Some(vec!["  one  "])),
        ("prompt,act\none,A\n\n\ntwo,B\n", Some(vec!["A", "B"]), Some(vec!["one", "two"])),
        ("title,content\nA,\"line 1\r\nline 2\n\"\n", Some(vec!["A"]), Some(vec!["line 1\r\nline 2\n"])),
    ] {
        let (_folder, path) = file("t.csv", table);
        match (imports::read(&path, None), titles) {
            (Ok(batch), Some(titles)) => {
                assert_eq!(
                    batch.found.iter().map(|f| f.title.as_str()).collect::<Vec<_>>(),
                    titles,
                    "{table:?}"
                );
                assert_eq!(
                    Some(batch.found.iter().map(|f| f.text.as_str()).collect::<Vec<_>>()),
                    texts,
                    "{table:?}"
                );
            }
            (Err(_), None) => {}
            (other, _) => panic!("{table:?} gave {other:?}"),
        }
    }
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("making folders");
    fs::write(path, content).expect("writing a file");
}

both!(a_folder_of_patterns, |app| async move {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("patterns");
    let code = "# PURPOSE\n\nSay {{tone}}, {{ tone }}.\n\n```sh\nssh {{Hostname}}\n```\nand `{{inline}}`, {{not a name}}\n";
    write(&folder, "extract_main_idea/system.md", code);
    write(&folder, "extract_main_idea/user.md", "not this");
    write(&folder, "plain/system.md", "\u{feff}No variables: {\"a\": 1}, $x^{2}$, {% raw %}\r\n");
    write(&folder, "notes/deep/er/single-file.md", "Hello {{ name }}");
    for skipped in ["README.md", "LICENSE.md", ".hidden/system.md", "notes/data.json"] {
        write(&folder, skipped, "no prompt");
    }
    write(&folder, "empty/system.md", " \n");
    write(&folder, "latin/system.md", b"caf\xe9");
    write(&folder, "nul/system.md", "a\0b");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&folder, folder.join("loop")).unwrap();

    let batch = read(&folder);
    assert_eq!(batch.source, "patterns");
    let report = apply(&app, batch, PUBLISHED).await;
    assert_eq!(report.created, ["extract-main-idea", "single-file", "plain"]);
    let told = skipped(&report.skipped);
    assert_eq!(
        told,
        [
            "empty/system.md: is empty",
            "latin/system.md: is not valid UTF-8",
            "nul/system.md: holds a NUL character"
        ]
    );

    let owner = app.owner().await;
    let pattern = details(&owner, "extract-main-idea").await;
    assert_eq!((&pattern["title"], &pattern["category"]), (&json!("Extract main idea"), &json!("pattern")));
    assert_eq!(
        pattern["metadata"]["import"],
        json!({ "source": "patterns", "key": "extract_main_idea/system.md" })
    );
    let names: Vec<&Value> =
        pattern["version"]["variables"].as_array().unwrap().iter().map(|v| &v["name"]).collect();
    assert_eq!(names, ["tone"]);
    assert_eq!(
        pattern["version"]["variables"][0]["required"], false,
        "named twice it is as optional as once"
    );
    assert_eq!(
        delivered(&owner, "extract-main-idea?tone=yes").await,
        code.replace("{{tone}}", "yes").replace("{{ tone }}", "yes")
    );
    assert_eq!(delivered(&owner, "plain").await, "No variables: {\"a\": 1}, $x^{2}$, {% raw %}\r\n");

    let unchanged = Unchanged::since(&app).await;
    assert_eq!(apply(&app, read(&folder), PUBLISHED).await.unchanged, 3);
    unchanged.check().await;
    write(&folder, "plain/system.md", "New text");
    assert_eq!(apply(&app, read(&folder), PUBLISHED).await.updated, ["plain"]);
    assert_eq!(delivered(&owner, "plain").await, "New text");
    // One file alone.
    let batch = read(&folder.join("notes/deep/er/single-file.md"));
    assert_eq!((batch.source.as_str(), batch.found.len()), ("single-file.md", 1));
});

/// The collections to try things on; they stand beside the repository where there are any.
fn collection(name: &str) -> Option<PathBuf> {
    let repository =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository");
    let path = repository.parent()?.join("shared/data").join(name);
    path.exists().then_some(path)
}

/// Imports a collection and checks every prompt of it; returns how many there are.
async fn check_collection(app: &TestApp, path: &Path) -> usize {
    let batch = read(path);
    let (places, found) = (batch.found.len() + batch.skipped.len(), batch.found.clone());
    let report = apply(app, batch, PUBLISHED).await;
    assert_eq!(report.created.len() + report.skipped.len(), places, "every row is imported or reported");
    assert!(report.skipped.iter().all(|s| !s.place.is_empty() && !s.reason.is_empty()));
    let owner = app.owner().await;
    let skipped: Vec<&str> = report.skipped.iter().map(|s| s.place.as_str()).collect();
    let imported = found.iter().filter(|found| !skipped.contains(&found.place.as_str()));
    for (slug, source) in report.created.iter().zip(imported) {
        check_one(&owner, slug, &source.text).await;
    }
    let unchanged = Unchanged::since(app).await;
    let again = apply(app, read(path), PUBLISHED).await;
    assert_eq!((again.unchanged, again.created.len(), again.updated.len()), (report.created.len(), 0, 0));
    unchanged.check().await;
    check_revisions(app).await;
    places
}

async fn check_one(owner: &xr2_testkit::Client, slug: &str, original: &str) {
    let template = owner.get(&format!("/prompts/{slug}/details")).await.ok();
    let variables = template.data()["version"]["variables"].as_array().unwrap().clone();
    let mut values = serde_json::Map::new();
    for variable in &variables {
        assert_eq!(variable["type"], "string", "{slug}: {variable}");
        assert_eq!(
            variable["required"],
            json!(variable.get("default").is_none_or(Value::is_null) && original.contains("${")),
            "{slug}: {variable}"
        );
        if variable.get("default").is_none_or(Value::is_null) {
            values.insert(variable["name"].as_str().unwrap().to_owned(), json!("VALUE"));
        }
    }
    let rendered = owner.post(&format!("/prompts/{slug}/render"), json!({ "variables": values })).await.ok();
    let content = rendered.text_of("content");
    if variables.is_empty() {
        assert!(content == original, "{slug} has no variables and is not what it was");
        assert!(delivered(owner, slug).await == original);
    } else {
        // Everything around the variables is what it was.
        let edge = original.find("${").or(original.find("{{")).expect("a variable");
        assert!(content.starts_with(&original[..edge]), "{slug}");
        assert!(!content.contains("{% raw"), "{slug}");
        assert_eq!(rendered.data().get("missing"), None, "{slug}");
    }
}

both!(the_public_collection_of_prompts, |app| async move {
    let Some(path) = collection("prompts.csv") else { return };
    assert_eq!(check_collection(&app, &path).await, 341);
    let owner = app.owner().await;
    let with_default = owner.get("/prompts?search=position&limit=100").await.ok();
    assert!(with_default.json["meta"]["total"].as_i64() > Some(0));
});

both!(the_public_patterns, |app| async move {
    let Some(path) = collection("patterns") else { return };
    assert_eq!(check_collection(&app, &path).await, 57);
});
