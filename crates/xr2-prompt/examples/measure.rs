//! Times what a server does most: `cargo run --release -p xr2-prompt --example measure`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xr2_prompt::{Compiled, Content, Contract, IncludeError, RenderOptions, Syntax, Values, compile, render};

fn compiled(text: &str, syntax: Syntax, contract: &Value) -> Compiled {
    let contract = Contract::from_value(contract, "variables").expect("contract");
    let mut nothing = |_: &_| Err(IncludeError(String::new()));
    compile(None, &Content::Text(text.to_owned()), syntax, &contract, &mut nothing).expect("compiles")
}

fn values(value: Value) -> Values {
    value.as_object().cloned().expect("values")
}

fn time(name: &str, mut work: impl FnMut()) {
    let started = Instant::now();
    let mut rounds = 0_u32;
    while started.elapsed() < Duration::from_millis(300) {
        work();
        rounds += 1;
    }
    println!("{name:<44} {:>12.3} µs", started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));
}

fn time_render(name: &str, prompt: &Compiled, given: &Values) {
    time(name, || {
        let _ = black_box(render(black_box(prompt), black_box(given), RenderOptions::default()));
    });
}

fn main() {
    let two = "You are a helpful assistant. Answer {{ name }} in a {{ tone }} tone.";
    let declared = json!([{"name": "name", "required": true}, {"name": "tone", "default": "kind"}]);
    let given = values(json!({"name": "Ada", "tone": "kind"}));
    time_render("simple, two variables", &compiled(two, Syntax::Simple, &json!([])), &given);
    time_render("simple, two variables, declared", &compiled(two, Syntax::Simple, &declared), &given);
    time_render("jinja, two variables", &compiled(two, Syntax::Jinja, &declared), &given);
    let looped =
        "{% for item in items %}{{ loop.index }}. {{ item.name|title }}: {{ item.text }}\n{% endfor %}";
    let items = values(json!({"items": vec![json!({"name": "first one", "text": "something to read"}); 5]}));
    time_render("jinja, loop of five", &compiled(looped, Syntax::Jinja, &json!([])), &items);
    let long = format!("{}\n{two}", "A line of a long system prompt, as they are.\n".repeat(400));
    time_render("simple, 18 KB, two variables", &compiled(&long, Syntax::Simple, &declared), &given);
    time("compile jinja, loop", || {
        black_box(compiled(black_box(looped), Syntax::Jinja, &json!([])));
    });
    time("compile simple, 18 KB", || {
        black_box(compiled(black_box(&long), Syntax::Simple, &json!([])));
    });
    println!(
        "bytes held by the 18 KB prompt: {}",
        compiled(&long, Syntax::Simple, &declared).approximate_bytes()
    );
    hostile();
}

/// The longest that templates made to take long can take.
fn hostile() {
    let numbers: Vec<u32> = (0..5_000).collect();
    let given = values(json!({
        "big": "x".repeat(1 << 20), "unicode": "ß".repeat(300_000), "numbers": numbers, "texts": vec!["y".repeat(1_000); 500],
    }));
    let inner = [
        "",
        "{% if unicode|upper %}{% endif %}",
        "{% if unicode|title %}{% endif %}",
        "{% if big|list %}{% endif %}",
        "{% if 'z' in big %}{% endif %}",
        "{% if numbers|sort %}{% endif %}",
        "{% if numbers|unique %}{% endif %}",
        "{% if texts|sort %}{% endif %}",
        "{% if numbers == numbers %}{% endif %}",
        "{% if texts|tojson(indent=2) %}{% endif %}",
        "{% if big|trim('abcdefghijk') %}{% endif %}",
        "{% if numbers|join(',') %}{% endif %}",
        "{% if big|replace('x', 'y') %}{% endif %}",
    ];
    for work in inner {
        let source = format!("{}{work}{}", "{% for a in range(1000) %}".repeat(3), "{% endfor %}".repeat(3));
        let prompt = compiled(&source, Syntax::Jinja, &json!([]));
        let started = Instant::now();
        let stopped = render(&prompt, &given, RenderOptions::default()).is_err();
        println!("stopped: {stopped}, after {:>6.1} ms: {work}", started.elapsed().as_secs_f64() * 1e3);
    }
}
