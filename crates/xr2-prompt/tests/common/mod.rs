//! Random templates and values.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any JSON value of small size; names are those the templates use.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-20_i64..20).prop_map(Value::from),
        (-1.0e6..1.0e6_f64).prop_map(Value::from),
        "[a-zA-Z äß😀{}%\"'<&\n]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Values for some of the names.
pub fn values() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((name(), value()), 0..5).prop_map(|pairs| pairs.into_iter().collect())
}

/// One of a few names.
pub fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "name", "l"]).prop_map(str::to_owned)
}

/// Any text, most of it made of what the syntaxes care for.
pub fn template_like() -> impl Strategy<Value = String> {
    let pieces = vec![
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{",
        "}",
        " ",
        "\n",
        "\r\n",
        "a",
        "b",
        ".",
        "if ",
        "endif",
        "for ",
        " in ",
        "endfor",
        "else",
        "elif ",
        "include ",
        "raw",
        "endraw",
        "|upper",
        "|join(",
        "(",
        ")",
        "[",
        "]",
        "'",
        "\"",
        ",",
        "-",
        "+",
        "~",
        "*",
        "not ",
        " and ",
        " or ",
        "==",
        "<",
        "1",
        "0.5",
        "loop.index",
        "range(3)",
        "set x = 1",
        "😀",
        "ä",
        "\u{a0}",
        "\\",
        "\0",
        " is defined",
        " is ",
        "default('x')",
        "{{ a }}",
        "{% if a %}",
        "{% endif %}",
        "{% for x in l %}",
        "{% endfor %}",
        "{{ a.b }}",
        "{%-",
        "-%}",
        "{{-",
        "-}}",
        "{# c #}",
        "'s'",
        "{% include 's' %}",
    ];
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

/// An expression of the jinja subset.
pub fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        name(),
        (0_u8..9).prop_map(|number| number.to_string()),
        "'[a-z A-Z]{0,5}'",
        Just("true".to_owned()),
        Just("none".to_owned()),
        Just("1.5".to_owned()),
        (name(), name()).prop_map(|(object, field)| format!("{object}.{field}")),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let operators = prop::sample::select(vec!["and", "or", "==", "!=", "<", "<=", ">", ">="]);
        let filters = prop::sample::select(vec![
            "upper",
            "lower",
            "title",
            "capitalize",
            "trim",
            "length",
            "first",
            "last",
            "string",
            "list",
            "sort",
            "unique",
            "items",
            "default('d')",
            "default('d', true)",
            "join('-')",
            "round",
            "int",
            "float",
            "replace('a', 'bc')",
            "indent(2)",
            "sort(reverse=true)",
        ]);
        let tests = prop::sample::select(vec![
            "defined",
            "undefined",
            "none",
            "string",
            "mapping",
            "boolean",
            "true",
        ]);
        prop_oneof![
            (inner.clone(), operators, inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            (inner.clone(), filters).prop_map(|(a, filter)| format!("{a}|{filter}")),
            (inner.clone(), tests).prop_map(|(a, test)| format!("({a} is {test})")),
            inner.clone().prop_map(|a| format!("(not {a})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
            prop::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
        ]
    })
}

/// A valid template of the jinja subset.
pub fn jinja() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z }%#ä\n]{0,8}",
        expression().prop_map(|expr| format!("{{{{ {expr} }}}}")),
        expression().prop_map(|expr| format!(" {{{{- {expr} -}}}} ")),
        Just("{# comment #}".to_owned()),
        Just("{% raw %}{{ a }}{% endraw %}".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            (expression(), inner.clone(), inner.clone())
                .prop_map(|(test, yes, no)| format!("{{% if {test} %}}{yes}{{% else %}}{no}{{% endif %}}")),
            (name(), name(), inner.clone(), inner).prop_map(|(item, items, body, otherwise)| format!(
                "{{% for {item} in {items} %}}{body}{{{{ loop.index }}}}{{% else %}}{otherwise}{{% endfor %}}"
            )),
        ]
    })
}

/// Every name with a value, so that nothing is undefined.
pub fn all_values() -> impl Strategy<Value = Map<String, Value>> {
    (value(), value(), value(), value(), prop::collection::vec(value(), 0..4)).prop_map(
        |(a, b, c, name, l)| {
            json!({"a": a, "b": b, "c": c, "name": name, "l": l}).as_object().cloned().unwrap_or_default()
        },
    )
}
