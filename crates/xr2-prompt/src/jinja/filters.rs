//! The filters. What can grow is measured before it is built.

use std::collections::HashSet;

use serde_json::{Number, Value};

use super::budget::{Budget, Failure, check_text};
use super::format::push_pretty;
use super::tree::{Filter, Test};
use super::value::{Val, View, compare};
use crate::text::integer;

/// Arguments of a filter, in the order of its parameters.
pub(super) type Args<'v, 'a> = &'v [Option<Val<'a>>];

/// Applies a filter.
pub(super) fn apply<'a>(
    filter: Filter,
    input: Val<'a>,
    args: Args<'_, 'a>,
    budget: &Budget,
) -> Result<Val<'a>, Failure> {
    let text = |change: fn(&str) -> String| {
        let text = input.to_text(budget)?;
        // Case is looked up letter by letter, and a letter may become several.
        budget.bytes(text.len().saturating_mul(6))?;
        Ok(Val::text(change(&text)))
    };
    match filter {
        Filter::Default => Ok(default(input, args)),
        Filter::Upper => text(str::to_uppercase),
        Filter::Lower => text(str::to_lowercase),
        Filter::Title => text(title),
        Filter::Capitalize => text(capitalize),
        Filter::Trim => trim(&input, args, budget),
        Filter::Replace => replace(&input, args, budget),
        Filter::Join => join(&input, args, budget),
        Filter::Length => length(&input),
        Filter::First => end_of(&input, budget, false),
        Filter::Last => end_of(&input, budget, true),
        Filter::Round => round(input, args, budget),
        Filter::Int => number_or(&input, args, "an integer", Number::from(0), to_int),
        Filter::Float => number_or(&input, args, "a number", Number::from(0), to_float),
        Filter::String => input.to_text(budget).map(|text| Val::text(&*text)),
        Filter::ToJson => to_json(&input, args, budget),
        Filter::Indent => indent(&input, args, budget),
        Filter::List => input.to_items(budget).map(|items| Val::List(items.into())),
        Filter::Sort => sort(&input, args, budget),
        Filter::Unique => unique(&input, args, budget),
        Filter::Items => items(&input, budget),
    }
}

fn flag(args: Args<'_, '_>, index: usize) -> bool {
    args.get(index).and_then(Option::as_ref).is_some_and(Val::is_true)
}

fn given<'v, 'a>(args: Args<'v, 'a>, index: usize) -> Option<&'v Val<'a>> {
    args.get(index).and_then(Option::as_ref).filter(|value| !value.is_nothing())
}

fn whole(args: Args<'_, '_>, index: usize, name: &str) -> Result<Option<i64>, Failure> {
    let Some(value) = given(args, index) else { return Ok(None) };
    match value.view() {
        View::Number(number) if number.as_i64().is_some() => Ok(number.as_i64()),
        _ => Err(Failure::new(format!("`{name}` must be a whole number; this is {}.", value.kind()))),
    }
}

fn default<'a>(input: Val<'a>, args: Args<'_, 'a>) -> Val<'a> {
    let replace = matches!(input, Val::Undefined) || (flag(args, 1) && !input.is_true());
    if replace { args[0].clone().unwrap_or(Val::Slice("")) } else { input }
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at_start = true;
    for letter in text.chars() {
        if letter.is_whitespace() || matches!(letter, '-' | '(' | '{' | '[' | '<') {
            out.push(letter);
            at_start = true;
        } else if at_start {
            out.extend(letter.to_uppercase());
            at_start = false;
        } else {
            out.extend(letter.to_lowercase());
        }
    }
    out
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + &letters.as_str().to_lowercase()
}

fn trim<'a>(input: &Val<'a>, args: Args<'_, 'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    let text = input.to_text(budget)?;
    let trimmed = match given(args, 0) {
        None => text.trim(),
        Some(chars) => {
            let chars: Vec<char> = chars.to_text(budget)?.chars().collect();
            budget.bytes(text.len().saturating_mul(chars.len()))?;
            text.trim_matches(chars.as_slice())
        }
    };
    Ok(Val::text(trimmed))
}

fn replace<'a>(input: &Val<'a>, args: Args<'_, 'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    let text = input.to_text(budget)?;
    let old = args[0].as_ref().unwrap_or(&Val::Undefined).to_text(budget)?;
    let new = args[1].as_ref().unwrap_or(&Val::Undefined).to_text(budget)?;
    budget.bytes(text.len())?;
    let count = text.matches(&*old).count();
    let size = (text.len() - count * old.len()).saturating_add(count.saturating_mul(new.len()));
    check_text(size)?;
    budget.bytes(size)?;
    Ok(Val::text(text.replace(&*old, &new)))
}

fn join<'a>(input: &Val<'a>, args: Args<'_, 'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    let separator = match given(args, 0) {
        Some(separator) => separator.to_text(budget)?.into_owned(),
        None => String::new(),
    };
    let attribute = attribute(args, 1, budget)?;
    let mut out = String::new();
    for (index, item) in input.to_items(budget)?.into_iter().enumerate() {
        if index > 0 {
            check_text(out.len() + separator.len())?;
            out.push_str(&separator);
        }
        let item = attribute.as_ref().map_or(item.clone(), |path| item.path(path));
        item.push_text(&mut out)?;
    }
    budget.bytes(out.len())?;
    Ok(Val::text(out))
}

fn attribute(args: Args<'_, '_>, index: usize, budget: &Budget) -> Result<Option<String>, Failure> {
    given(args, index).map(|value| value.to_text(budget).map(std::borrow::Cow::into_owned)).transpose()
}

fn length<'a>(input: &Val<'a>) -> Result<Val<'a>, Failure> {
    match input.view() {
        View::Undefined | View::Null => Ok(Val::count(0)),
        View::Text(text) => Ok(Val::count(text.chars().count())),
        View::Seq(items) => Ok(Val::count(items.len())),
        View::Map(fields) => Ok(Val::count(fields.len())),
        View::Bool(_) | View::Number(_) => {
            Err(Failure::new(format!("`length` counts characters and items; this is {}.", input.kind())))
        }
    }
}

fn end_of<'a>(input: &Val<'a>, budget: &Budget, last: bool) -> Result<Val<'a>, Failure> {
    if let View::Seq(items) = input.view() {
        let index = if last { items.len().wrapping_sub(1) } else { 0 };
        return Ok(items.get(index).unwrap_or(Val::Undefined));
    }
    let mut items = input.to_items(budget)?;
    let found = if last { items.pop() } else { items.into_iter().next() };
    Ok(found.unwrap_or(Val::Undefined))
}

fn round<'a>(input: Val<'a>, args: Args<'_, 'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    let precision = whole(args, 0, "precision")?.unwrap_or(0);
    let method = match given(args, 1) {
        Some(method) => method.to_text(budget)?.into_owned(),
        None => "common".to_owned(),
    };
    if !(-15..=15).contains(&precision) {
        return Err(Failure::new("`precision` must lie between -15 and 15."));
    }
    let number = match input.view() {
        View::Undefined | View::Null => return Ok(input),
        View::Number(number) if integer(number).is_some() && precision >= 0 => return Ok(input),
        View::Number(number) => number.as_f64().unwrap_or_default(),
        _ => return Err(Failure::new(format!("`round` takes a number; this is {}.", input.kind()))),
    };
    let rounded = match method.as_str() {
        "common" if precision >= 0 => {
            // Printing rounds the exact decimal value, ties to even, without a detour over a product.
            let places = usize::try_from(precision).unwrap_or(0);
            format!("{number:.places$}").parse().unwrap_or(number)
        }
        "common" => scaled(number, precision, f64::round_ties_even),
        "ceil" => scaled(number, precision, f64::ceil),
        "floor" => scaled(number, precision, f64::floor),
        _ => return Err(Failure::new("The method of `round` is common, ceil or floor.")),
    };
    Number::from_f64(rounded)
        .map(Val::Number)
        .ok_or_else(|| Failure::new("The number is too large to round."))
}

fn scaled(number: f64, precision: i64, round: fn(f64) -> f64) -> f64 {
    let factor = 10_f64.powi(i32::try_from(precision.abs()).unwrap_or(0));
    if precision >= 0 { round(number * factor) / factor } else { round(number / factor) * factor }
}

fn number_or<'a>(
    input: &Val<'a>,
    args: Args<'_, 'a>,
    what: &str,
    nothing: Number,
    convert: fn(&Val<'_>) -> Option<Number>,
) -> Result<Val<'a>, Failure> {
    let fallback = || args[0].clone();
    if input.is_nothing() {
        return Ok(fallback().unwrap_or(Val::Number(nothing)));
    }
    match convert(input).map(Val::Number).or_else(fallback) {
        Some(number) => Ok(number),
        None => Err(Failure::new(format!(
            "{} cannot be read as {what}; a default helps, as in `int(default=0)`.",
            input.kind()
        ))),
    }
}

fn to_int(input: &Val<'_>) -> Option<Number> {
    match input.view() {
        View::Bool(flag) => Some(Number::from(u8::from(flag))),
        View::Number(number) if integer(number).is_some() => Some(number.clone()),
        View::Number(number) => truncated(number.as_f64()?),
        View::Text(text) => {
            let text = text.trim();
            text.parse::<i64>()
                .map(Number::from)
                .or_else(|_| text.parse::<u64>().map(Number::from))
                .ok()
                .or_else(|| truncated(text.parse().ok()?))
        }
        _ => None,
    }
}

fn truncated(float: f64) -> Option<Number> {
    let whole = float.trunc();
    // Within these bounds the conversion is exact; beyond them the number stays what it is.
    if whole.abs() < 9.0e18 { Some(Number::from(whole as i64)) } else { Number::from_f64(whole) }
}

fn to_float(input: &Val<'_>) -> Option<Number> {
    match input.view() {
        View::Bool(flag) => Some(Number::from(u8::from(flag))),
        View::Number(number) => nearest_double(number),
        View::Text(text) => Number::from_f64(text.trim().parse().ok()?),
        _ => None,
    }
}

/// The number as a double holds it. Integers beyond 2^53 may not fit; all others stay as they are.
fn nearest_double(number: &Number) -> Option<Number> {
    let float = number.as_f64()?;
    let exact = number.as_i128().is_none_or(|whole| float as i128 == whole);
    if exact { Some(number.clone()) } else { Number::from_f64(float) }
}

fn to_json<'a>(input: &Val<'a>, args: Args<'_, 'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    let width = match args[0].as_ref().map(Val::view) {
        Some(View::Bool(true)) => Some(2),
        Some(View::Bool(false)) => None,
        _ => whole(args, 0, "indent")?,
    };
    let mut out = String::new();
    match width {
        None | Some(0) => input.push_json(&mut out)?,
        Some(width @ 1..=16) => {
            let value: Value = input.to_json(budget)?;
            push_pretty(&mut out, &value, usize::try_from(width).unwrap_or(2), 0)?;
        }
        Some(_) => return Err(Failure::new("`indent` must lie between 0 and 16.")),
    }
    budget.bytes(out.len())?;
    Ok(Val::text(out))
}

fn indent<'a>(input: &Val<'a>, args: Args<'_, 'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    let (first, blank) = (flag(args, 1), flag(args, 2));
    let width = whole(args, 0, "width")?.unwrap_or(4);
    let width = usize::try_from(width).ok().filter(|width| *width <= 1_000);
    let width = width.ok_or_else(|| Failure::new("`width` must lie between 0 and 1,000."))?;
    let text = input.to_text(budget)?;
    // One final newline is dropped, as minijinja does.
    let text = text.strip_suffix('\n').map_or(&*text, |rest| rest.strip_suffix('\r').unwrap_or(rest));
    let size = text.len() + (text.matches('\n').count() + 1).saturating_mul(width);
    check_text(size)?;
    budget.bytes(size)?;
    let mut out = String::with_capacity(size);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let is_blank = line.is_empty() || line == "\r";
        if (index > 0 || first) && (!is_blank || blank) {
            out.extend(std::iter::repeat_n(' ', width));
        }
        out.push_str(line);
    }
    Ok(Val::text(out))
}

/// What items are sorted by: their value or its parts, folded unless case matters.
fn sort_key<'a>(
    item: &Val<'a>,
    paths: &[&str],
    case_sensitive: bool,
    budget: &Budget,
) -> Result<Vec<Val<'a>>, Failure> {
    let fold = |value: Val<'a>| match value.view() {
        View::Text(text) if !case_sensitive => {
            budget.bytes(text.len())?;
            Ok(Val::text(text.to_lowercase()))
        }
        _ => Ok(value),
    };
    if paths.is_empty() {
        Ok(vec![fold(item.clone())?])
    } else {
        paths.iter().map(|path| fold(item.path(path))).collect()
    }
}

fn sort<'a>(input: &Val<'a>, args: Args<'_, 'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    let (reverse, case_sensitive) = (flag(args, 0), flag(args, 1));
    let attribute = attribute(args, 2, budget)?.unwrap_or_default();
    let paths: Vec<&str> = attribute.split(',').map(str::trim).filter(|path| !path.is_empty()).collect();
    let items = input.to_items(budget)?;
    budget.items(items.len().saturating_mul(paths.len() + 1))?;
    let keyed =
        items.into_iter().map(|item| sort_key(&item, &paths, case_sensitive, budget).map(|key| (key, item)));
    let mut keyed: Vec<_> = keyed.collect::<Result<_, _>>()?;
    // A sort cannot stop half-way: once the budget is spent, everything counts as equal until it is through.
    let mut failure = None;
    keyed.sort_by(|(left, _), (right, _)| {
        if failure.is_some() {
            return std::cmp::Ordering::Equal;
        }
        let ordering = compare_keys(left, right, budget).unwrap_or_else(|stop| {
            failure = Some(stop);
            std::cmp::Ordering::Equal
        });
        if reverse { ordering.reverse() } else { ordering }
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Val::List(keyed.into_iter().map(|(_, item)| item).collect())),
    }
}

fn compare_keys(left: &[Val<'_>], right: &[Val<'_>], budget: &Budget) -> Result<std::cmp::Ordering, Failure> {
    for (a, b) in left.iter().zip(right) {
        let ordering = compare(a, b, budget)?;
        if ordering.is_ne() {
            return Ok(ordering);
        }
    }
    Ok(std::cmp::Ordering::Equal)
}

fn unique<'a>(input: &Val<'a>, args: Args<'_, 'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    let case_sensitive = flag(args, 0);
    let attribute = attribute(args, 1, budget)?;
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in input.to_items(budget)? {
        let value = attribute.as_ref().map_or(item.clone(), |path| item.path(path));
        // Compact JSON tells values apart, 1 and 1.0 being the same number.
        let mut key = String::new();
        value.push_json(&mut key)?;
        budget.items(6)?;
        budget.bytes(key.len().saturating_mul(4))?;
        if !case_sensitive {
            key = key.to_lowercase();
        }
        if seen.insert(key) {
            kept.push(item);
        }
    }
    Ok(Val::List(kept.into()))
}

fn items<'a>(input: &Val<'a>, budget: &Budget) -> Result<Val<'a>, Failure> {
    match input.view() {
        View::Undefined | View::Null => Ok(Val::List([].into())),
        View::Map(fields) => {
            budget.items(fields.len().saturating_mul(3))?;
            let pairs = fields
                .iter()
                .map(|(name, value)| Val::List([Val::Slice(name.as_str()), Val::Json(value)].into()));
            Ok(Val::List(pairs.collect()))
        }
        _ => Err(Failure::new(format!("`items` takes an object; this is {}.", input.kind()))),
    }
}

/// Applies a test.
pub(super) fn test(test: Test, input: &Val<'_>) -> bool {
    let number = match input.view() {
        View::Number(number) => Some(number),
        _ => None,
    };
    let is_integral = || {
        number.is_some_and(|number| {
            integer(number).is_some() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
        })
    };
    let remainder =
        || number.filter(|_| is_integral()).and_then(Number::as_f64).map(|float| float.rem_euclid(2.0));
    match test {
        Test::Defined => !matches!(input, Val::Undefined),
        Test::Undefined => matches!(input, Val::Undefined),
        Test::None => matches!(input.view(), View::Null),
        Test::String => matches!(input.view(), View::Text(_)),
        Test::Number => number.is_some(),
        Test::Integer => is_integral(),
        Test::Float => number.is_some() && !is_integral(),
        Test::Boolean => matches!(input.view(), View::Bool(_)),
        Test::True => matches!(input.view(), View::Bool(true)),
        Test::False => matches!(input.view(), View::Bool(false)),
        Test::Sequence => matches!(input.view(), View::Seq(_)),
        Test::Mapping => matches!(input.view(), View::Map(_)),
        Test::Iterable => matches!(input.view(), View::Seq(_) | View::Map(_) | View::Text(_)),
        Test::Odd => match number.and_then(integer) {
            Some(whole) => whole % 2 != 0,
            None => remainder() == Some(1.0),
        },
        Test::Even => match number.and_then(integer) {
            Some(whole) => whole % 2 == 0,
            None => remainder() == Some(0.0),
        },
    }
}
