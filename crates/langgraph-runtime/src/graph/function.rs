//! What nodes call: functions of several shapes, as one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::state::Lent;
use crate::{Command, Input, NodeError, Runtime, TaskInput};

/// A future on the heap that any thread may poll.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a node's function returns.
pub type NodeResult<T> = Result<T, NodeError>;

pub(crate) type Returned = NodeResult<Command>;
pub(crate) type Now = dyn Fn(&Invocation) -> Returned + Send + Sync;
pub(crate) type Later = dyn Fn(Invocation) -> BoxFuture<'static, Returned> + Send + Sync;

/// What a node's function is called with.
pub(crate) struct Invocation {
    pub(crate) input: TaskInput,
    /// What the task may ask of its run; only for functions that ask for it.
    pub(crate) runtime: Option<Runtime>,
}

/// A function that a node calls, whatever its shape.
pub struct Function {
    pub(crate) call: Call,
    /// Whether it looks at the state.
    pub(crate) reads: bool,
    /// Whether it asks anything of its run.
    pub(crate) asks: bool,
    /// Its name, as the compiler has it.
    pub(crate) code: &'static str,
}

pub(crate) enum Call {
    /// Is called where the run is driven, and should be quick.
    Now(Box<Now>),
    /// Gives a future.
    Later(Box<Later>),
}

/// A function that a node can call:
///
/// - `fn(&I) -> NodeResult<R>` or a closure, called where the run is driven, so it should be quick;
/// - `async fn(&I) -> NodeResult<R>`;
/// - a closure that gives a future: `|state: Arc<I>| async move { .. }`;
///
/// each with a second argument, `&Runtime` or, with `Arc<I>`, `Runtime`. `I` is the state, a type with
/// `#[derive(Input)]`, a [`Value`](crate::Value), or `()`; `R` an update, a [`Command`], a
/// [`Goto`](crate::Goto) or `()`. Closures must name the types of their arguments.
///
/// `Shape` is found by the compiler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function that a node can call",
    label = "not a node's function",
    note = "take `&State` (or, in a closure that gives a future, `Arc<State>`), and `&Runtime` if needed",
    note = "return `NodeResult<..>` of an update, a `Command`, a `Goto` or `()`",
    note = "what it takes derives `State` or `Input`, or is `Value` or `()`; its future is `Send`"
)]
pub trait NodeFunction<Shape> {
    /// The function, whatever its shape.
    fn into_function(self) -> Function;
}

/// The shapes that functions of nodes have.
pub mod shape {
    /// `fn(&I) -> NodeResult<R>`.
    pub struct Now<I, R>(std::marker::PhantomData<(I, R)>);
    /// `fn(&I, &Runtime) -> NodeResult<R>`.
    pub struct NowAsking<I, R>(std::marker::PhantomData<(I, R)>);
    /// `async fn(&I) -> NodeResult<R>`.
    pub struct Borrowing<I, R>(std::marker::PhantomData<(I, R)>);
    /// `async fn(&I, &Runtime) -> NodeResult<R>`.
    pub struct BorrowingAsking<I, R>(std::marker::PhantomData<(I, R)>);
    /// `fn(Arc<I>) -> impl Future`.
    pub struct Owning<I, R>(std::marker::PhantomData<(I, R)>);
    /// `fn(Arc<I>, Runtime) -> impl Future`.
    pub struct OwningAsking<I, R>(std::marker::PhantomData<(I, R)>);
}

fn now<F, I: Input>(asks: bool, call: Box<Now>) -> Function {
    let code = std::any::type_name::<F>();
    Function { call: Call::Now(call), reads: I::READS, asks, code }
}

fn later<F, I: Input>(asks: bool, call: Box<Later>) -> Function {
    let code = std::any::type_name::<F>();
    Function { call: Call::Later(call), reads: I::READS, asks, code }
}

impl Invocation {
    fn asked(&self) -> Runtime {
        self.runtime.clone().expect("a function that asks is given what it asks")
    }
}

impl<F, I, R> NodeFunction<shape::Now<I, R>> for F
where
    F: Fn(&I) -> NodeResult<R> + Send + Sync + 'static,
    I: Input,
    R: Into<Command>,
{
    fn into_function(self) -> Function {
        now::<F, I>(false, Box::new(move |task| Ok(self(&*Lent::<I>::read(&task.input)?)?.into())))
    }
}

impl<F, I, R> NodeFunction<shape::NowAsking<I, R>> for F
where
    F: Fn(&I, &Runtime) -> NodeResult<R> + Send + Sync + 'static,
    I: Input,
    R: Into<Command>,
{
    fn into_function(self) -> Function {
        let call = move |task: &Invocation| {
            Ok(self(&*Lent::<I>::read(&task.input)?, &task.asked())?.into())
        };
        now::<F, I>(true, Box::new(call))
    }
}

impl<F, I, R, Fut> NodeFunction<shape::Owning<I, (R, Fut)>> for F
where
    F: Fn(Arc<I>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = NodeResult<R>> + Send + 'static,
    I: Input,
    R: Into<Command>,
{
    fn into_function(self) -> Function {
        let call = move |task: Invocation| -> BoxFuture<'static, Returned> {
            match I::read(&task.input) {
                Ok(input) => {
                    let returned = self(input);
                    Box::pin(async move { returned.await.map(Into::into) })
                }
                Err(error) => Box::pin(std::future::ready(Err(error.into()))),
            }
        };
        later::<F, I>(false, Box::new(call))
    }
}

impl<F, I, R, Fut> NodeFunction<shape::OwningAsking<I, (R, Fut)>> for F
where
    F: Fn(Arc<I>, Runtime) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = NodeResult<R>> + Send + 'static,
    I: Input,
    R: Into<Command>,
{
    fn into_function(self) -> Function {
        let call = move |task: Invocation| -> BoxFuture<'static, Returned> {
            match I::read(&task.input) {
                Ok(input) => {
                    let returned = self(input, task.asked());
                    Box::pin(async move { returned.await.map(Into::into) })
                }
                Err(error) => Box::pin(std::future::ready(Err(error.into()))),
            }
        };
        later::<F, I>(true, Box::new(call))
    }
}

/// An `async fn(&I)`, for one lifetime: the way to say of its future that it is `Send`.
pub trait BorrowingFunction<'a, I: 'a>: Send + Sync {
    /// What the future gives.
    type Output;
    /// The future.
    type Future: Future<Output = Self::Output> + Send + 'a;
    /// Calls it.
    fn call(&self, input: &'a I) -> Self::Future;
}

impl<'a, F, I: 'a, Fut> BorrowingFunction<'a, I> for F
where
    F: Fn(&'a I) -> Fut + Send + Sync,
    Fut: Future + Send + 'a,
{
    type Output = Fut::Output;
    type Future = Fut;

    fn call(&self, input: &'a I) -> Fut {
        self(input)
    }
}

impl<F, I, R> NodeFunction<shape::Borrowing<I, R>> for F
where
    F: for<'a> BorrowingFunction<'a, I, Output = NodeResult<R>> + 'static,
    I: Input,
    R: Into<Command>,
{
    fn into_function(self) -> Function {
        let function = Arc::new(self);
        let call = move |task: Invocation| -> BoxFuture<'static, Returned> {
            let function = function.clone();
            Box::pin(async move {
                let input = Lent::<I>::read(&task.input)?;
                function.call(&input).await.map(Into::into)
            })
        };
        later::<F, I>(false, Box::new(call))
    }
}

/// An `async fn(&I, &Runtime)`, for one lifetime.
pub trait BorrowingAskingFunction<'a, I: 'a>: Send + Sync {
    /// What the future gives.
    type Output;
    /// The future.
    type Future: Future<Output = Self::Output> + Send + 'a;
    /// Calls it.
    fn call(&self, input: &'a I, runtime: &'a Runtime) -> Self::Future;
}

impl<'a, F, I: 'a, Fut> BorrowingAskingFunction<'a, I> for F
where
    F: Fn(&'a I, &'a Runtime) -> Fut + Send + Sync,
    Fut: Future + Send + 'a,
{
    type Output = Fut::Output;
    type Future = Fut;

    fn call(&self, input: &'a I, runtime: &'a Runtime) -> Fut {
        self(input, runtime)
    }
}

impl<F, I, R> NodeFunction<shape::BorrowingAsking<I, R>> for F
where
    F: for<'a> BorrowingAskingFunction<'a, I, Output = NodeResult<R>> + 'static,
    I: Input,
    R: Into<Command>,
{
    fn into_function(self) -> Function {
        let function = Arc::new(self);
        let call = move |task: Invocation| -> BoxFuture<'static, Returned> {
            let function = function.clone();
            Box::pin(async move {
                let (input, runtime) = (Lent::<I>::read(&task.input)?, task.asked());
                function.call(&input, &runtime).await.map(Into::into)
            })
        };
        later::<F, I>(true, Box::new(call))
    }
}
