//! Templates and values made to hang, to overflow the stack or to eat the memory.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xr2_prompt::{
    Content, Contract, IncludeError, RenderError, RenderOptions, Snippet, Syntax, Values, compile,
    detect_syntax, discover, list_includes, render,
};

/// Generous: these builds are not optimised and the machine may be busy.
const LIMIT: Duration = Duration::from_secs(20);
/// Half of what a worker thread has.
const STACK: usize = 1 << 20;

/// Runs in a thread with a small stack, against the clock.
fn contained(name: &str, work: impl FnOnce() + Send + 'static) {
    let started = Instant::now();
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).expect("thread");
    assert!(thread.join().is_ok(), "{name} failed");
    assert!(started.elapsed() < LIMIT, "{name} took {:?}", started.elapsed());
}

fn values(value: Value) -> Values {
    value.as_object().cloned().expect("object")
}

fn run(text: &str, given: Value) -> Result<String, String> {
    let content = Content::Text(text.to_owned());
    let mut nothing = |_: &_| Err(IncludeError("there is nothing.".to_owned()));
    let compiled = compile(None, &content, Syntax::Jinja, &Contract::default(), &mut nothing)
        .map_err(|error| format!("compile: {error}"))?;
    match render(&compiled, &values(given), RenderOptions::default()) {
        Ok(rendered) => match rendered.content {
            Content::Text(text) => Ok(text),
            Content::Chat(_) => Err("chat".to_owned()),
        },
        Err(RenderError::Template(problem)) => Err(format!("render: {}", problem.message)),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn sources_that_nest_or_never_end_are_refused() {
    let deep: Vec<(&str, String)> = vec![
        ("open parentheses", format!("{{{{ {}", "(".repeat(2_000_000))),
        ("balanced parentheses", format!("{{{{ {}a{} }}}}", "(".repeat(500_000), ")".repeat(500_000))),
        ("brackets", format!("{{{{ {}{} }}}}", "[".repeat(500_000), "]".repeat(500_000))),
        ("braces", format!("{{{{ {} }}}}", "{1:".repeat(500_000))),
        ("not", format!("{{{{ {}a }}}}", "not ".repeat(500_000))),
        ("minus", format!("{{{{ {}1 }}}}", "-".repeat(500_000))),
        ("filters", format!("{{{{ a{} }}}}", "|upper".repeat(200_000))),
        ("fields", format!("{{{{ a{} }}}}", ".b".repeat(500_000))),
        ("items", format!("{{{{ a{} }}}}", "[0]".repeat(300_000))),
        ("or", format!("{{{{ a{} }}}}", " or a".repeat(300_000))),
        ("comparisons", format!("{{{{ a{} }}}}", " < a".repeat(300_000))),
        ("choices", format!("{{{{ a{} }}}}", " if a else a".repeat(100_000))),
        ("tests", format!("{{{{ a{} }}}}", " is none".repeat(100_000))),
        ("calls", format!("{{{{ a{} }}}}", "()".repeat(500_000))),
        ("if", "{% if a %}".repeat(100_000)),
        ("closed if", format!("{}{}", "{% if a %}".repeat(100_000), "{% endif %}".repeat(100_000))),
        ("elif", format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(100_000))),
        ("for", "{% for x in l %}".repeat(100_000)),
        ("targets", format!("{{% for {} in l %}}{{% endfor %}}", "(".repeat(100_000))),
        ("raw", "{% raw %}".repeat(200_000)),
        ("comments", "{#".repeat(1_000_000)),
        ("outputs", "{{".repeat(1_000_000)),
        ("tags", "{%".repeat(1_000_000)),
        ("spaces", format!("{{{{ {}", " ".repeat(2_000_000))),
        ("string", format!("{{{{ '{}", "\\".repeat(2_000_001))),
        ("number", format!("{{{{ {} }}}}", "9".repeat(1_000_000))),
        ("macros", "{% macro a() %}".repeat(100_000)),
        ("sets", "{% set a %}".repeat(100_000)),
        ("filter blocks", "{% filter upper %}".repeat(100_000)),
        ("unknown tags", "{% x %}".repeat(100_000)),
        ("unknown filters", "{{ a|x }}".repeat(50_000)),
    ];
    for (name, source) in deep {
        contained(name, move || {
            assert!(run(&source, json!({})).is_err());
            let content = Content::Text(source);
            let _ = discover(&content, Syntax::Jinja);
            let _ = list_includes(&content, Syntax::Jinja);
            assert_eq!(detect_syntax(&content), Syntax::Simple);
        });
    }
}

#[test]
fn the_deepest_that_is_allowed_fits_on_the_stack() {
    let operand = format!("{}a{}", "(".repeat(25), ")".repeat(25));
    let chain = format!("{operand}{}", " or a".repeat(70));
    let blocks = format!("{}{{{{ {chain} }}}}{}", "{% if a %}".repeat(25), "{% endif %}".repeat(25));
    contained("blocks", move || assert_eq!(run(&blocks, json!({"a": 1})), Ok("1".to_owned())));
    let branches =
        format!("{{% if b %}}{}x{{% endif %}}", "{% elif b %}".repeat(98).replace("b %}", "not a %}"));
    contained("branches", move || assert_eq!(run(&branches, json!({"a": 1})), Ok(String::new())));
    for operator in ["|string", ".b", "[0]", " is none", " < a", " and a", " if a else a"] {
        let source = format!("{{{{ a{} }}}}", operator.repeat(45));
        contained(operator, move || assert!(run(&source, json!({"a": 1})).is_ok()));
    }
    let prefixes = format!("{{{{ {}a }}}}", "not ".repeat(100));
    contained("prefixes", move || assert_eq!(run(&prefixes, json!({"a": 1})), Ok("true".to_owned())));
}

#[test]
fn the_deepest_includes_fit_on_the_stack() {
    contained("includes", || {
        let nest =
            |inner: &str| format!("{}{inner}{}", "{% for x in [1] %}".repeat(25), "{% endfor %}".repeat(25));
        let level = |slug: &str| match slug {
            "s5" => nest("x"),
            _ => nest(&format!("{{% include 's{}' %}}", slug[1..].parse::<u32>().expect("number") + 1)),
        };
        let mut resolve = |target: &xr2_prompt::IncludeTarget| {
            Ok(Snippet {
                slug: target.slug.clone(),
                version: 1,
                content: Content::Text(level(&target.slug)),
                syntax: Syntax::Jinja,
                contract: Contract::default(),
            })
        };
        let root = Content::Text(nest("{% include 's1' %}"));
        let compiled =
            compile(None, &root, Syntax::Jinja, &Contract::default(), &mut resolve).expect("compiles");
        let rendered = render(&compiled, &Values::new(), RenderOptions::default()).expect("renders");
        assert_eq!(rendered.content, Content::Text("x".to_owned()));
        assert_eq!(compiled.includes().len(), 5);
    });
}

#[test]
fn includes_that_multiply_are_bounded() {
    contained("multiplying includes", || {
        let mut resolve = |target: &xr2_prompt::IncludeTarget| {
            let next = target.slug[1..].parse::<u32>().expect("number") + 1;
            let text =
                if next > 5 { "x".repeat(100) } else { format!("{{% include 's{next}' %}}").repeat(100) };
            Ok(Snippet {
                slug: target.slug.clone(),
                version: 1,
                content: Content::Text(text),
                syntax: Syntax::Jinja,
                contract: Contract::default(),
            })
        };
        let root = Content::Text("{% include 's1' %}".repeat(100));
        let error =
            compile(None, &root, Syntax::Jinja, &Contract::default(), &mut resolve).expect_err("too large");
        assert!(error.to_string().contains("larger than 1 MiB"), "{error}");
    });
}

#[test]
fn work_and_memory_are_bounded() {
    let big = "x".repeat(1 << 20);
    let long_list: Vec<u32> = (0..200_000).collect();
    let given = json!({
        "big": big, "unicode": "ß".repeat(300_000), "long": long_list, "same": long_list,
        "medium": long_list[..5_000], "texts": vec!["y".repeat(1_000); 500],
        "map": long_list[..50_000].iter().map(|n| (n.to_string(), json!(n))).collect::<serde_json::Map<_, _>>(),
    });
    let nested_loops = |inner: &str| {
        format!("{}{inner}{}", "{% for a in range(1000) %}".repeat(3), "{% endfor %}".repeat(3))
    };
    let bombs = vec![
        nested_loops(""),
        nested_loops("x"),
        nested_loops("{% if long == same %}{% endif %}"),
        nested_loops("{% if big == big %}{% endif %}"),
        nested_loops("{% if 'z' in big %}{% endif %}"),
        nested_loops("{% if -1 in long %}{% endif %}"),
        nested_loops("{% if long < same %}{% endif %}"),
        nested_loops("{% if unicode|upper %}{% endif %}"),
        nested_loops("{% if unicode|title %}{% endif %}"),
        nested_loops("{% if big|list %}{% endif %}"),
        nested_loops("{% if big|trim('abcdefghijklmnopqrstuvwxyz') %}{% endif %}"),
        nested_loops("{% if medium|sort %}{% endif %}"),
        nested_loops("{% if medium|unique %}{% endif %}"),
        nested_loops("{% if texts|sort(reverse=true) %}{% endif %}"),
        nested_loops("{% if map|items %}{% endif %}"),
        nested_loops("{% if map|tojson(indent=4) %}{% endif %}"),
        nested_loops("{% if big|replace('x', 'y') %}{% endif %}"),
        nested_loops("{% if long|length %}{% endif %}"),
        nested_loops("{% for y in long if y %}{% endfor %}"),
        nested_loops("{{ [big, big, big] }}"),
        "{{ [big, big, big, big] }}".to_owned(),
        "{{ [[big, big], [big, big]]|tojson }}".to_owned(),
        "{{ texts|join(big) }}".to_owned(),
        "{{ big|replace('', big) }}".to_owned(),
        "{{ big|replace('x', 'xxxxxxxxxx') }}".to_owned(),
        "{{ texts|join('\n')|indent(1000)|indent(1000) }}".to_owned(),
        "{{ long|sort|unique|list|sort }}".to_owned(),
        "{{ big|list|sort|join('......') }}".to_owned(),
        "{% for a in range(1000) %}{{ texts }}{% endfor %}".to_owned(),
        "{% for a in long %}{% for b in long %}x{% endfor %}{% endfor %}".to_owned(),
        "{{ range(999999999999) }}".to_owned(),
        "{{ range(-9223372036854775807, 9223372036854775807) }}".to_owned(),
        "{{ big }}{{ big }}".to_owned(),
    ];
    for bomb in bombs {
        let given = given.clone();
        contained(&bomb.clone(), move || {
            let error = run(&bomb, given).expect_err("is stopped");
            assert!(error.starts_with("render: "), "{bomb}: {error}");
        });
    }
}

#[test]
fn a_simple_prompt_cannot_grow_without_bound() {
    contained("simple", || {
        let content = Content::Text("{{ a }}".repeat(100_000));
        let mut nothing = |_: &_| Err(IncludeError(String::new()));
        let compiled =
            compile(None, &content, Syntax::Simple, &Contract::default(), &mut nothing).expect("compiles");
        let error = render(&compiled, &values(json!({"a": "x".repeat(1 << 20)})), RenderOptions::default());
        assert!(matches!(error, Err(RenderError::Template(_))));
    });
}

#[test]
fn patterns_cannot_hang() {
    contained("patterns", || {
        for pattern in ["^(a+)+$", "(a|aa)+$", "(.*a){20}"] {
            let contract = json!([{"name": "a", "type": "string", "pattern": pattern}]);
            let contract = Contract::from_value(&contract, "variables").expect("contract");
            let text = format!("{}!", "a".repeat(100_000));
            xr2_prompt::check_values(&contract, &values(json!({"a": text})));
        }
        for pattern in ["(a{1000}){1000}", "((((a{100}){100}){100}){100})", "\\w{5000}{5000}"] {
            let contract = json!([{"name": "a", "type": "string", "pattern": pattern}]);
            let problems = Contract::from_value(&contract, "variables").expect_err("too large");
            assert_eq!(problems[0].field, "variables[0].pattern");
        }
    });
}
