//! Expressions: which are allowed, and how they are written down.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, BinOpKind, CallArg, CompareOpKind, Expr as AstExpr, UnaryOpKind};
use minijinja::value::ValueKind;
use serde_json::{Number, Value};

use super::lower::Lowering;
use super::tree::{Comparison, Expr, ExprKind, Filter, LoopField, Shape, Test};
use crate::names::nearest;

/// Lowers an expression; nothing when it was refused.
pub(super) fn lower_expr(lowering: &mut Lowering<'_, '_>, expr: &AstExpr<'_>) -> Option<Expr> {
    lower_as(lowering, expr, Shape::Plain)
}

fn lower_as(lowering: &mut Lowering<'_, '_>, expr: &AstExpr<'_>, shape: Shape) -> Option<Expr> {
    let span = expr.span();
    let kind = match expr {
        AstExpr::Const(constant) => constant_kind(lowering, &constant.value, span),
        AstExpr::Var(var) => variable(lowering, var.id, shape, span),
        AstExpr::List(list) => all(lowering, &list.items).map(ExprKind::List),
        AstExpr::Tuple(tuple) => all(lowering, &tuple.items).map(ExprKind::List),
        AstExpr::UnaryOp(unary) => unary_op(lowering, unary, span),
        AstExpr::BinOp(binary) => binary_op(lowering, binary, span),
        AstExpr::Compare(compare) => comparison(lowering, compare),
        AstExpr::IfExpr(choice) => if_else(lowering, choice),
        AstExpr::Filter(filter) => filter_call(lowering, filter, span),
        AstExpr::Test(test) => test_call(lowering, test, span),
        AstExpr::GetAttr(attr) => attribute(lowering, attr, span),
        AstExpr::GetItem(item) => {
            let object = lower_as(lowering, &item.expr, Shape::Fields);
            let key = lower_expr(lowering, &item.subscript_expr);
            Some(ExprKind::Item { object: Box::new(object?), key: Box::new(key?) })
        }
        AstExpr::Call(call) => call_of(lowering, call, span),
        AstExpr::Slice(_) => refuse(lowering, span, "Slices are not available in prompts."),
        AstExpr::Map(_) => refuse(lowering, span, "Maps cannot be written in a prompt; pass them as values."),
    };
    kind.map(|kind| Expr { at: start_of(&kind).unwrap_or(span.start_offset), kind })
}

/// Where a comparison or choice starts: the parser's own place for these is the token before.
fn start_of(kind: &ExprKind) -> Option<u32> {
    match kind {
        ExprKind::Compare { first, .. } => Some(first.at),
        ExprKind::IfElse { yes, .. } => Some(yes.at),
        _ => None,
    }
}

fn refuse(lowering: &mut Lowering<'_, '_>, span: Span, message: impl Into<String>) -> Option<ExprKind> {
    lowering.refuse(span, message);
    None
}

/// Lowers every one, so that all problems are told, then gives up if one was refused.
fn all(lowering: &mut Lowering<'_, '_>, exprs: &[AstExpr<'_>]) -> Option<Box<[Expr]>> {
    let lowered: Vec<_> = exprs.iter().map(|expr| lower_expr(lowering, expr)).collect();
    lowered.into_iter().collect()
}

fn constant_kind(lowering: &mut Lowering<'_, '_>, value: &minijinja::Value, span: Span) -> Option<ExprKind> {
    let constant = match value.kind() {
        ValueKind::None | ValueKind::Undefined => Some(Value::Null),
        ValueKind::Bool => Some(Value::Bool(value.is_true())),
        ValueKind::String => value.as_str().map(Value::from),
        ValueKind::Number if value.is_integer() => i64::try_from(value.clone())
            .map(Value::from)
            .or_else(|_| u64::try_from(value.clone()).map(Value::from))
            .ok(),
        ValueKind::Number => f64::try_from(value.clone()).ok().and_then(Number::from_f64).map(Value::Number),
        _ => None,
    };
    match constant {
        Some(constant) => Some(ExprKind::Const(constant)),
        None => refuse(lowering, span, "The number is too large."),
    }
}

fn variable(lowering: &mut Lowering<'_, '_>, name: &str, shape: Shape, span: Span) -> Option<ExprKind> {
    match name {
        "loop" => refuse(lowering, span, "`loop` is no value; ask for one of its fields, as `loop.index`."),
        "self" => refuse(lowering, span, "`self` is not available in prompts."),
        "range" => refuse(lowering, span, "`range` is called with a number, as `range(3)`."),
        _ => {
            lowering.uses_variable(name, shape);
            Some(ExprKind::Var(name.into()))
        }
    }
}

fn attribute(lowering: &mut Lowering<'_, '_>, attr: &ast::GetAttr<'_>, span: Span) -> Option<ExprKind> {
    if let AstExpr::Var(var) = &attr.expr
        && var.id == "loop"
    {
        return loop_field(lowering, attr.name, span);
    }
    let object = lower_as(lowering, &attr.expr, Shape::Fields)?;
    Some(ExprKind::Attr { object: Box::new(object), name: attr.name.into() })
}

fn loop_field(lowering: &mut Lowering<'_, '_>, name: &str, span: Span) -> Option<ExprKind> {
    if lowering.loops == 0 {
        return refuse(lowering, span, "`loop` is only known inside of `{% for %}`.");
    }
    match LoopField::from_name(name) {
        Some(field) => Some(ExprKind::Loop(field)),
        None => refuse(lowering, span, unknown("field `loop.", name, "`", LoopField::NAMES)),
    }
}

fn unknown(what: &str, name: &str, close: &str, known: &[&'static str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("There is no {what}{name}{close}; did you mean `{meant}`?"),
        None => format!("There is no {what}{name}{close}; there are {}.", known.join(", ")),
    }
}

fn unary_op(lowering: &mut Lowering<'_, '_>, unary: &ast::UnaryOp<'_>, span: Span) -> Option<ExprKind> {
    let inner = lower_expr(lowering, &unary.expr)?;
    match (&unary.op, inner.kind) {
        // `a not in b` comes from the parser as `not (a in b)`.
        (UnaryOpKind::Not, kind) => Some(ExprKind::Not(Box::new(Expr { at: inner.at, kind }))),
        (UnaryOpKind::Neg, ExprKind::Const(Value::Number(number))) => match negated(&number) {
            Some(number) => Some(ExprKind::Const(Value::Number(number))),
            None => refuse(lowering, span, "The number is too large."),
        },
        (UnaryOpKind::Neg, _) => {
            refuse(lowering, span, "Prompts do not calculate: `-` stands before a written number only.")
        }
    }
}

fn negated(number: &Number) -> Option<Number> {
    if let Some(integer) = crate::text::integer(number) {
        return i64::try_from(-integer).ok().map(Number::from);
    }
    number.as_f64().and_then(|float| Number::from_f64(-float))
}

fn binary_op(lowering: &mut Lowering<'_, '_>, binary: &ast::BinOp<'_>, span: Span) -> Option<ExprKind> {
    let comparison = match binary.op {
        BinOpKind::ScAnd => {
            return chain(lowering, binary, |op| matches!(op, BinOpKind::ScAnd)).map(ExprKind::And);
        }
        BinOpKind::ScOr => {
            return chain(lowering, binary, |op| matches!(op, BinOpKind::ScOr)).map(ExprKind::Or);
        }
        BinOpKind::Eq => Comparison::Eq,
        BinOpKind::Ne => Comparison::Ne,
        BinOpKind::Lt => Comparison::Lt,
        BinOpKind::Lte => Comparison::Le,
        BinOpKind::Gt => Comparison::Gt,
        BinOpKind::Gte => Comparison::Ge,
        BinOpKind::In => Comparison::In,
        BinOpKind::Concat => {
            return refuse(
                lowering,
                span,
                "`~` is not available in prompts; write the parts after each other.",
            );
        }
        other => {
            let message = format!("Prompts do not calculate: `{}` is not available.", operator(other));
            return refuse(lowering, span, message);
        }
    };
    let left = lower_expr(lowering, &binary.left);
    let right = lower_expr(lowering, &binary.right);
    Some(ExprKind::Compare { first: Box::new(left?), rest: Box::new([(comparison, right?)]) })
}

fn operator(op: BinOpKind) -> &'static str {
    match op {
        BinOpKind::Add => "+",
        BinOpKind::Sub => "-",
        BinOpKind::Mul => "*",
        BinOpKind::Div => "/",
        BinOpKind::FloorDiv => "//",
        BinOpKind::Rem => "%",
        _ => "**",
    }
}

/// The operands of `a and b and c`, which the parser nests to the left.
fn chain(
    lowering: &mut Lowering<'_, '_>,
    binary: &ast::BinOp<'_>,
    same: impl Fn(BinOpKind) -> bool,
) -> Option<Box<[Expr]>> {
    let mut operands = vec![&binary.right];
    let mut left = &binary.left;
    while let AstExpr::BinOp(inner) = left {
        if !same(inner.op) {
            break;
        }
        operands.push(&inner.right);
        left = &inner.left;
    }
    operands.push(left);
    let lowered: Vec<_> = operands.into_iter().rev().map(|operand| lower_expr(lowering, operand)).collect();
    lowered.into_iter().collect()
}

fn comparison(lowering: &mut Lowering<'_, '_>, compare: &ast::Compare<'_>) -> Option<ExprKind> {
    let first = lower_expr(lowering, &compare.expr);
    let rest: Vec<_> = compare
        .ops
        .iter()
        .map(|op| {
            let comparison = match op.op {
                CompareOpKind::Eq => Comparison::Eq,
                CompareOpKind::Ne => Comparison::Ne,
                CompareOpKind::Lt => Comparison::Lt,
                CompareOpKind::Lte => Comparison::Le,
                CompareOpKind::Gt => Comparison::Gt,
                CompareOpKind::Gte => Comparison::Ge,
                CompareOpKind::In => Comparison::In,
                CompareOpKind::NotIn => Comparison::NotIn,
            };
            lower_expr(lowering, &op.expr).map(|expr| (comparison, expr))
        })
        .collect();
    Some(ExprKind::Compare { first: Box::new(first?), rest: rest.into_iter().collect::<Option<_>>()? })
}

fn if_else(lowering: &mut Lowering<'_, '_>, choice: &ast::IfExpr<'_>) -> Option<ExprKind> {
    let yes = lower_expr(lowering, &choice.true_expr);
    let test = lower_expr(lowering, &choice.test_expr);
    let no = choice.false_expr.as_ref().map(|no| lower_expr(lowering, no));
    let no = match no {
        None => None,
        Some(no) => Some(Box::new(no?)),
    };
    Some(ExprKind::IfElse { test: Box::new(test?), yes: Box::new(yes?), no })
}

fn filter_call(lowering: &mut Lowering<'_, '_>, call: &ast::Filter<'_>, span: Span) -> Option<ExprKind> {
    let input = call.expr.as_ref().map(|input| lower_expr(lowering, input));
    let Some(filter) = Filter::from_name(call.name) else {
        return refuse(lowering, span, unknown("filter `", call.name, "`", Filter::NAMES));
    };
    let args = arguments(lowering, filter, call, span);
    Some(ExprKind::Filter { filter, input: Box::new(input??), args: args? })
}

/// Puts the arguments, by place or by name, where the filter's parameters are.
fn arguments(
    lowering: &mut Lowering<'_, '_>,
    filter: Filter,
    call: &ast::Filter<'_>,
    span: Span,
) -> Option<Box<[Option<Expr>]>> {
    let (parameters, required) = filter.parameters();
    let mut slots: Vec<Option<Expr>> = vec![None; parameters.len()];
    let mut fine = true;
    for (index, arg) in call.args.iter().enumerate() {
        let (slot, expr) = match arg {
            CallArg::Pos(expr) => (Some(index).filter(|index| *index < slots.len()), expr),
            CallArg::Kwarg(name, expr) => (parameters.iter().position(|parameter| parameter == name), expr),
            CallArg::PosSplat(expr) | CallArg::KwargSplat(expr) => (None, expr),
        };
        let lowered = lower_expr(lowering, expr);
        match slot {
            Some(slot) if slots[slot].is_none() => {
                fine &= lowered.is_some();
                slots[slot] = lowered;
            }
            _ => {
                fine = false;
                lowering.refuse(expr.span(), wrong_argument(call.name, parameters));
            }
        }
    }
    if fine && slots.iter().take(required).any(Option::is_none) {
        let message = format!("The filter `{}` needs its arguments: {}.", call.name, parameters.join(", "));
        lowering.refuse(span, message);
        fine = false;
    }
    fine.then(|| slots.into())
}

fn wrong_argument(filter: &str, parameters: &[&str]) -> String {
    if parameters.is_empty() {
        format!("The filter `{filter}` takes no arguments.")
    } else {
        format!("The filter `{filter}` takes: {}.", parameters.join(", "))
    }
}

fn test_call(lowering: &mut Lowering<'_, '_>, call: &ast::Test<'_>, span: Span) -> Option<ExprKind> {
    let input = lower_expr(lowering, &call.expr);
    let Some(test) = Test::from_name(call.name) else {
        return refuse(lowering, span, unknown("test `is ", call.name, "`", Test::NAMES));
    };
    if !call.args.is_empty() {
        return refuse(lowering, span, format!("The test `is {}` takes no arguments.", call.name));
    }
    Some(ExprKind::Test { test, input: Box::new(input?) })
}

fn call_of(lowering: &mut Lowering<'_, '_>, call: &ast::Call<'_>, span: Span) -> Option<ExprKind> {
    match &call.expr {
        AstExpr::Var(var) if var.id == "range" => range_call(lowering, call, span),
        AstExpr::Var(var) => {
            let message = format!("`{}()` is not available: prompts call nothing but `range`.", var.id);
            refuse(lowering, span, message)
        }
        AstExpr::GetAttr(attr) => {
            let hint = match Filter::from_name(attr.name) {
                Some(_) => format!("; write `|{}`", attr.name),
                None => String::new(),
            };
            refuse(
                lowering,
                span,
                format!("`.{}()` is not available: values have no methods{hint}.", attr.name),
            )
        }
        _ => refuse(lowering, span, "Calls are not available in prompts."),
    }
}

fn range_call(lowering: &mut Lowering<'_, '_>, call: &ast::Call<'_>, span: Span) -> Option<ExprKind> {
    let args: Vec<_> = call
        .args
        .iter()
        .map(|arg| match arg {
            CallArg::Pos(expr) => lower_expr(lowering, expr),
            _ => {
                lowering.refuse(span, "`range` takes numbers: stop, or start, stop and step.");
                None
            }
        })
        .collect();
    let args: Box<[Expr]> = args.into_iter().collect::<Option<_>>()?;
    if !(1..=3).contains(&args.len()) {
        return refuse(lowering, span, "`range` takes one to three numbers: stop, or start, stop and step.");
    }
    Some(ExprKind::Range(args))
}
