//! From minijinja's tree to ours: everything that is not allowed is refused here, all of it at once.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, Expr as AstExpr, Stmt};

use super::ResolveInclude;
use super::expression::lower_expr;
use super::scan::{Fault, Tag};
use super::tree::{Block, For, Node, Shape, Splice, Template, Use};
use crate::include::IncludeTarget;
use crate::names::is_jinja_word;

pub(super) fn lower(
    text: &str,
    tree: &Stmt<'_>,
    tags: &[Tag],
    include: &mut ResolveInclude<'_>,
) -> Result<Template, Vec<Fault>> {
    let mut lowering = Lowering {
        text,
        tags,
        include,
        bound: Vec::new(),
        loops: 0,
        faults: Vec::new(),
        uses: Vec::new(),
        splices: Vec::new(),
    };
    let nodes = match tree {
        Stmt::Template(template) => lowering.block(&template.children),
        other => lowering.block(std::slice::from_ref(other)),
    };
    if lowering.faults.is_empty() {
        Ok(Template { nodes, uses: lowering.uses, splices: lowering.splices })
    } else {
        Err(lowering.faults)
    }
}

pub(super) struct Lowering<'a, 'i> {
    text: &'a str,
    tags: &'a [Tag],
    include: &'a mut ResolveInclude<'i>,
    /// Loop variables in reach.
    bound: Vec<Box<str>>,
    /// How many loops surround us.
    pub(super) loops: usize,
    faults: Vec<Fault>,
    uses: Vec<Use>,
    splices: Vec<Splice>,
}

impl Lowering<'_, '_> {
    pub(super) fn refuse(&mut self, span: Span, message: impl Into<String>) {
        self.faults.push((span.start_offset as usize..span.end_offset as usize, message.into()));
    }

    /// Notes that a name is read, unless a loop binds it.
    pub(super) fn uses_variable(&mut self, name: &str, shape: Shape) {
        if !self.bound.iter().any(|bound| &**bound == name) {
            self.uses.push(Use::Variable { name: name.into(), shape });
        }
    }

    fn block(&mut self, statements: &[Stmt<'_>]) -> Block {
        let mut nodes = Vec::with_capacity(statements.len());
        for statement in statements {
            nodes.extend(self.statement(statement));
        }
        nodes.into()
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> Option<Node> {
        match statement {
            Stmt::EmitRaw(raw) => Some(Node::Text(raw.raw.into())),
            Stmt::EmitExpr(emit) => lower_expr(self, &emit.expr).map(Node::Output),
            Stmt::IfCond(cond) => Some(self.if_cond(cond)),
            Stmt::ForLoop(each) => self.for_loop(each, each.span()),
            Stmt::Include(include) => self.include(include, include.span()),
            other => {
                let (span, name) = refused(other);
                let message =
                    format!("{name} is not available in prompts; use variables, if, for and include.");
                self.refuse(span, message);
                None
            }
        }
    }

    fn if_cond(&mut self, cond: &ast::IfCond<'_>) -> Node {
        let mut branches = Vec::new();
        let mut current = cond;
        let otherwise = loop {
            let test = lower_expr(self, &current.expr);
            let block = self.block(&current.true_body);
            branches.extend(test.map(|test| (test, block)));
            // The parser writes `elif` as an `if` alone in the else branch; a written-out one means the same.
            match current.false_body.as_slice() {
                [Stmt::IfCond(next)] => current = next,
                body => break self.block(body),
            }
        };
        Node::If { branches: branches.into(), otherwise }
    }

    fn for_loop(&mut self, each: &ast::ForLoop<'_>, span: Span) -> Option<Node> {
        if each.recursive {
            self.refuse(span, "Recursive loops are not available in prompts.");
        }
        let items = lower_expr(self, &each.iter);
        self.mark_items(&each.iter);
        let (targets, unpack) = self.targets(&each.target);
        let outer = self.bound.len();
        self.bound.extend(targets.iter().cloned());
        // Like the items, the filter is read before the loop begins.
        let filter = each.filter_expr.as_ref().map(|filter| lower_expr(self, filter));
        self.loops += 1;
        let body = self.block(&each.body);
        self.loops -= 1;
        self.bound.truncate(outer);
        let otherwise = self.block(&each.else_body);
        let filter = match filter {
            None => None,
            Some(filter) => Some(filter?),
        };
        Some(Node::For(Box::new(For { targets, unpack, items: items?, filter, body, otherwise })))
    }

    /// A variable looped over holds items.
    fn mark_items(&mut self, iter: &AstExpr<'_>) {
        if let AstExpr::Var(var) = iter {
            self.uses_variable(var.id, Shape::Items);
        }
    }

    fn targets(&mut self, target: &AstExpr<'_>) -> (Box<[Box<str>]>, bool) {
        match target {
            AstExpr::Var(var) => (self.target(var).into_iter().collect(), false),
            AstExpr::List(list) => {
                let names = list.items.iter().filter_map(|item| match item {
                    AstExpr::Var(var) => self.target(var),
                    other => {
                        self.refuse(other.span(), "A loop takes names apart, not more.");
                        None
                    }
                });
                (names.collect(), true)
            }
            other => {
                self.refuse(other.span(), "A loop needs a name for its items.");
                (Box::default(), false)
            }
        }
    }

    fn target(&mut self, var: &ast::Spanned<ast::Var<'_>>) -> Option<Box<str>> {
        if is_jinja_word(var.id) {
            self.refuse(var.span(), format!("`{}` cannot name the items of a loop.", var.id));
            return None;
        }
        Some(var.id.into())
    }

    fn include(&mut self, include: &ast::Include<'_>, span: Span) -> Option<Node> {
        if include.ignore_missing {
            self.refuse(
                span,
                "`ignore missing` is not available: an include is resolved when it is published.",
            );
        }
        let literal = match &include.name {
            AstExpr::Const(constant) => constant.value.as_str().map(str::to_owned),
            _ => None,
        };
        let Some(literal) = literal else {
            let message = "An include names its snippet in quotes, as `{% include \"slug\" %}`.";
            self.refuse(include.name.span(), message);
            return None;
        };
        let resolved = IncludeTarget::parse(&literal).and_then(|target| (self.include)(&target));
        match resolved {
            Ok(snippet) => {
                self.uses.push(Use::Include { snippet, bound: self.bound.clone().into() });
                self.splices.extend(self.splice(snippet, span));
                Some(Node::Include { snippet, at: span.start_offset })
            }
            Err(message) => {
                self.refuse(include.name.span(), message);
                None
            }
        }
    }

    fn splice(&self, snippet: usize, span: Span) -> Option<Splice> {
        let offset = span.start_offset as usize;
        let after = self.tags.partition_point(|tag| tag.range.end <= offset);
        let range = self.tags.get(after)?.range.clone();
        let tag = self.text.get(range.clone())?;
        Some(Splice { range, snippet, trim_before: tag.starts_with("{%-"), trim_after: tag.ends_with("-%}") })
    }
}

fn refused(statement: &Stmt<'_>) -> (Span, &'static str) {
    match statement {
        Stmt::Set(node) => (node.span(), "`{% set %}`"),
        Stmt::SetBlock(node) => (node.span(), "`{% set %}`"),
        Stmt::WithBlock(node) => (node.span(), "`{% with %}`"),
        Stmt::AutoEscape(node) => (node.span(), "`{% autoescape %}`"),
        Stmt::FilterBlock(node) => (node.span(), "`{% filter %}`"),
        Stmt::Block(node) => (node.span(), "`{% block %}`"),
        Stmt::Import(node) => (node.span(), "`{% import %}`"),
        Stmt::FromImport(node) => (node.span(), "`{% from %}`"),
        Stmt::Extends(node) => (node.span(), "`{% extends %}`"),
        Stmt::Do(node) => (node.span(), "`{% do %}`"),
        _ => (Span::default(), "This tag"),
    }
}
