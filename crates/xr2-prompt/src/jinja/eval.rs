//! Evaluating a checked template.

use serde_json::{Number, Value};

use super::budget::{Budget, Failure, MAX_RANGE, MAX_TEXT};
use super::filters;
use super::tree::{Comparison, Expr, ExprKind, For, LoopField, Node};
use super::value::{Val, compare, contains, equal};
use crate::render::{Body, SnippetBody};
use crate::simple::SimpleTemplate;

/// Evaluates the templates of one prompt; what they may cost is shared between them.
pub(crate) struct Evaluator<'a, 'l> {
    lookup: &'l dyn Fn(&str) -> Option<&'a Value>,
    snippets: &'a [SnippetBody],
    budget: Budget,
    /// Bytes written by the texts before this one.
    written: usize,
    out: String,
    /// Loop variables in reach, the innermost last.
    scope: Vec<(&'a str, Val<'a>)>,
    loops: Vec<LoopState<'a>>,
    /// Paths of included simple snippets that led nowhere.
    pub(crate) missing: Vec<&'a str>,
}

struct LoopState<'a> {
    index: usize,
    length: usize,
    previous: Val<'a>,
    next: Val<'a>,
}

impl<'a, 'l> Evaluator<'a, 'l> {
    pub(crate) fn new(lookup: &'l dyn Fn(&str) -> Option<&'a Value>, snippets: &'a [SnippetBody]) -> Self {
        Self {
            lookup,
            snippets,
            budget: Budget::default(),
            written: 0,
            out: String::new(),
            scope: Vec::new(),
            loops: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Renders one template.
    pub(crate) fn render(&mut self, nodes: &'a [Node]) -> Result<String, Failure> {
        self.block(nodes)?;
        self.written += self.out.len();
        Ok(std::mem::take(&mut self.out))
    }

    fn block(&mut self, nodes: &'a [Node]) -> Result<(), Failure> {
        nodes.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &'a Node) -> Result<(), Failure> {
        self.budget.step()?;
        match node {
            Node::Text(text) => self.put(text),
            Node::Output(expr) => {
                let value = self.expr(expr)?;
                let before = self.out.len();
                value.push_text(&mut self.out).map_err(|failure| failure.at(expr.at))?;
                self.paid_since(before).map_err(|failure| failure.at(expr.at))
            }
            Node::If { branches, otherwise } => {
                for (test, block) in branches {
                    if self.expr(test)?.is_true() {
                        return self.block(block);
                    }
                }
                self.block(otherwise)
            }
            Node::For(each) => self.for_loop(each),
            Node::Include { snippet, at } => {
                self.include(*snippet).map_err(|failure| self.in_snippet(*snippet, *at, failure))
            }
        }
    }

    fn put(&mut self, text: &str) -> Result<(), Failure> {
        let before = self.out.len();
        if self.written + before + text.len() > MAX_TEXT {
            return Err(too_large());
        }
        self.out.push_str(text);
        self.paid_since(before)
    }

    fn paid_since(&self, before: usize) -> Result<(), Failure> {
        if self.written + self.out.len() > MAX_TEXT {
            return Err(too_large());
        }
        self.budget.bytes(self.out.len() - before)
    }

    fn for_loop(&mut self, each: &'a For) -> Result<(), Failure> {
        let items = self.loop_items(each)?;
        if items.is_empty() {
            return self.block(&each.otherwise);
        }
        let outer = self.scope.len();
        self.loops.push(LoopState {
            index: 0,
            length: items.len(),
            previous: Val::Undefined,
            next: Val::Undefined,
        });
        for (index, item) in items.iter().enumerate() {
            self.budget.step()?;
            if let Some(state) = self.loops.last_mut() {
                state.index = index;
                state.previous = index.checked_sub(1).map_or(Val::Undefined, |before| items[before].clone());
                state.next = items.get(index + 1).cloned().unwrap_or(Val::Undefined);
            }
            self.bind(each, item)?;
            self.block(&each.body)?;
            self.scope.truncate(outer);
        }
        self.loops.pop();
        Ok(())
    }

    fn loop_items(&mut self, each: &'a For) -> Result<Vec<Val<'a>>, Failure> {
        let items =
            self.expr(&each.items)?.to_items(&self.budget).map_err(|failure| failure.at(each.items.at))?;
        let Some(filter) = &each.filter else { return Ok(items) };
        let outer = self.scope.len();
        let mut kept = Vec::new();
        for item in items {
            self.bind(each, &item)?;
            let keep = self.expr(filter)?.is_true();
            self.scope.truncate(outer);
            if keep {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    fn bind(&mut self, each: &'a For, item: &Val<'a>) -> Result<(), Failure> {
        if !each.unpack {
            self.scope.extend(each.targets.first().map(|name| (&**name, item.clone())));
            return Ok(());
        }
        let parts = match item.view() {
            super::value::View::Seq(_) => item.to_items(&self.budget)?,
            _ => Vec::new(),
        };
        if parts.len() != each.targets.len() {
            let message = format!(
                "An item cannot be taken apart into {} names: it is {}.",
                each.targets.len(),
                item.kind()
            );
            return Err(Failure::new(message).at(each.items.at));
        }
        self.scope.extend(each.targets.iter().map(|name| &**name).zip(parts));
        Ok(())
    }

    fn include(&mut self, snippet: usize) -> Result<(), Failure> {
        let body = &self.snippets[snippet];
        match &body.body {
            Body::Plain => self.put(&body.text),
            Body::Jinja(template) => self.block(&template.nodes),
            Body::Simple(template) => self.simple(template, &body.text),
        }
    }

    /// A simple snippet sees loop variables too, so its names are looked up here.
    fn simple(&mut self, template: &'a SimpleTemplate, text: &'a str) -> Result<(), Failure> {
        let mut plain_from = 0;
        for slot in template.slots() {
            let range = slot.range();
            self.put(&text[plain_from..range.start])?;
            plain_from = range.end;
            let root = self.variable(slot.root());
            let value = slot.fields().fold(root.clone(), |value, name| value.field(name));
            if matches!(value, Val::Undefined) {
                if !matches!(root, Val::Undefined) {
                    self.missing.push(slot.path());
                }
                self.put(&text[range])?;
            } else {
                let before = self.out.len();
                value.push_text(&mut self.out)?;
                self.paid_since(before)?;
            }
        }
        self.put(&text[plain_from..])
    }

    fn in_snippet(&self, snippet: usize, at: u32, failure: Failure) -> Failure {
        let body = &self.snippets[snippet];
        let message = match failure.at {
            Some(inner) if !body.text.is_empty() => {
                let place = crate::problem::Position::of(&body.text, inner as usize);
                format!("In the included `{}`, line {}: {}", body.slug, place.line, failure.message)
            }
            _ => format!("In the included `{}`: {}", body.slug, failure.message),
        };
        Failure { message, at: Some(at) }
    }

    fn variable(&self, name: &str) -> Val<'a> {
        let bound = self.scope.iter().rev().find(|(bound, _)| *bound == name);
        match bound {
            Some((_, value)) => value.clone(),
            None => (self.lookup)(name).map_or(Val::Undefined, Val::Json),
        }
    }

    fn expr(&mut self, expr: &'a Expr) -> Result<Val<'a>, Failure> {
        self.budget.step()?;
        self.kind(&expr.kind).map_err(|failure| failure.at(expr.at))
    }

    fn kind(&mut self, kind: &'a ExprKind) -> Result<Val<'a>, Failure> {
        match kind {
            ExprKind::Const(value) => Ok(Val::Json(value)),
            ExprKind::Var(name) => Ok(self.variable(name)),
            ExprKind::Loop(field) => Ok(self.loop_field(*field)),
            ExprKind::List(items) => {
                self.budget.items(items.len())?;
                let items: Vec<_> = items.iter().map(|item| self.expr(item)).collect::<Result<_, _>>()?;
                Ok(Val::List(items.into()))
            }
            ExprKind::Not(inner) => Ok(Val::Bool(!self.expr(inner)?.is_true())),
            ExprKind::And(operands) => self.decide(operands, false),
            ExprKind::Or(operands) => self.decide(operands, true),
            ExprKind::Compare { first, rest } => self.compare(first, rest),
            ExprKind::IfElse { test, yes, no } => match (self.expr(test)?.is_true(), no) {
                (true, _) => self.expr(yes),
                (false, Some(no)) => self.expr(no),
                (false, None) => Ok(Val::Undefined),
            },
            ExprKind::Filter { filter, input, args } => {
                let input = self.expr(input)?;
                let args: Vec<_> = args
                    .iter()
                    .map(|arg| arg.as_ref().map(|arg| self.expr(arg)).transpose())
                    .collect::<Result<_, _>>()?;
                filters::apply(*filter, input, &args, &self.budget)
            }
            ExprKind::Test { test, input } => Ok(Val::Bool(filters::test(*test, &self.expr(input)?))),
            ExprKind::Attr { object, name } => Ok(self.expr(object)?.field(name)),
            ExprKind::Item { object, key } => {
                let object = self.expr(object)?;
                Ok(object.item(&self.expr(key)?))
            }
            ExprKind::Range(args) => self.range(args),
        }
    }

    /// The first operand whose truth is `wanted`, else the last, as Jinja has it.
    fn decide(&mut self, operands: &'a [Expr], wanted: bool) -> Result<Val<'a>, Failure> {
        let mut last = Val::Undefined;
        for operand in operands {
            last = self.expr(operand)?;
            if last.is_true() == wanted {
                break;
            }
        }
        Ok(last)
    }

    fn compare(&mut self, first: &'a Expr, rest: &'a [(Comparison, Expr)]) -> Result<Val<'a>, Failure> {
        let mut left = self.expr(first)?;
        for (comparison, expr) in rest {
            let right = self.expr(expr)?;
            let holds = match comparison {
                Comparison::Eq => equal(&left, &right, &self.budget)?,
                Comparison::Ne => !equal(&left, &right, &self.budget)?,
                Comparison::In => contains(&right, &left, &self.budget)?,
                Comparison::NotIn => !contains(&right, &left, &self.budget)?,
                Comparison::Lt => compare(&left, &right, &self.budget)?.is_lt(),
                Comparison::Le => compare(&left, &right, &self.budget)?.is_le(),
                Comparison::Gt => compare(&left, &right, &self.budget)?.is_gt(),
                Comparison::Ge => compare(&left, &right, &self.budget)?.is_ge(),
            };
            if !holds {
                return Ok(Val::Bool(false));
            }
            left = right;
        }
        Ok(Val::Bool(true))
    }

    fn loop_field(&self, field: LoopField) -> Val<'a> {
        let Some(state) = self.loops.last() else { return Val::Undefined };
        match field {
            LoopField::Index => Val::count(state.index + 1),
            LoopField::Index0 => Val::count(state.index),
            LoopField::RevIndex => Val::count(state.length - state.index),
            LoopField::RevIndex0 => Val::count(state.length - state.index - 1),
            LoopField::First => Val::Bool(state.index == 0),
            LoopField::Last => Val::Bool(state.index + 1 == state.length),
            LoopField::Length => Val::count(state.length),
            LoopField::Depth => Val::count(self.loops.len()),
            LoopField::Depth0 => Val::count(self.loops.len() - 1),
            LoopField::PrevItem => state.previous.clone(),
            LoopField::NextItem => state.next.clone(),
        }
    }

    fn range(&mut self, args: &'a [Expr]) -> Result<Val<'a>, Failure> {
        let mut numbers = Vec::with_capacity(3);
        for arg in args {
            let value = self.expr(arg)?;
            let whole = match value.view() {
                super::value::View::Number(number) => number.as_i64(),
                _ => None,
            };
            numbers.push(whole.ok_or_else(|| {
                Failure::new(format!("`range` takes whole numbers; this is {}.", value.kind())).at(arg.at)
            })?);
        }
        let (start, stop, step) = match *numbers {
            [stop] => (0, stop, 1),
            [start, stop] => (start, stop, 1),
            [start, stop, step] => (start, stop, step),
            _ => (0, 0, 1),
        };
        if step == 0 {
            return Err(Failure::new("The step of `range` cannot be 0."));
        }
        let mut items = Vec::new();
        let mut at = i128::from(start);
        while if step > 0 { at < i128::from(stop) } else { at > i128::from(stop) } {
            if items.len() == MAX_RANGE {
                return Err(Failure::new(format!("`range` gives {MAX_RANGE} numbers at most.")));
            }
            items.push(Val::Number(i64::try_from(at).map_or(Number::from(0), Number::from)));
            at += i128::from(step);
        }
        self.budget.items(items.len())?;
        Ok(Val::List(items.into()))
    }
}

fn too_large() -> Failure {
    Failure::new("The rendered text is larger than 1 MiB.")
}
