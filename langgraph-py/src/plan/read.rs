//! Reading what a node does from its Python description.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::lost::LetGo;
use super::program::{Accepts, Body, Program, Source};
use super::writers::Writer;
use crate::host::call::call_method;
use crate::host::imports;
use crate::host::offload::Pace;
use crate::values::domain::Objects;

/// Reads what nodes do from their Python description.
pub(super) struct ProgramReader<'a, 'py> {
    pub(super) plan: &'a langgraph_rust_pregel::Plan<Objects>,
    pub(super) managed: &'a Bound<'py, PyDict>,
}

impl<'py> ProgramReader<'_, 'py> {
    pub(super) fn program(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
        node: &Bound<'py, PyAny>,
    ) -> PyResult<Program> {
        let optional = |attribute: &str| -> PyResult<Option<Py<PyAny>>> {
            let value = node.getattr(attribute)?;
            Ok((!value.is_none()).then(|| value.unbind()))
        };
        let bound = node.getattr(intern!(py, "bound"))?;
        let mut writers = Vec::new();
        for writer in node.getattr(intern!(py, "flat_writers"))?.try_iter()? {
            Writer::read(py, self.plan, &writer?, &mut writers)?;
        }
        let retry = optional("retry_policy")?;
        Ok(Program {
            name: name.clone().cast_into::<PyString>()?.unbind(),
            source: self.source(&node.getattr(intern!(py, "channels"))?)?,
            mapper: optional("mapper")?,
            body: self.body(py, &bound)?,
            writers,
            path: (intern!(py, "__pregel_pull"), name).into_pyobject(py)?.unbind(),
            triggers: PyTuple::new(py, sorted_triggers(node)?)?.unbind(),
            tags: optional("tags")?,
            metadata: optional("metadata")?,
            retry: retry.filter(|policies| policies.bind(py).is_truthy().unwrap_or(false)),
            timeout: optional("timeout")?,
            pace: Pace::default(),
            let_go: LetGo::default(),
            is_remote: bound.get_type().hasattr(intern!(py, "runs_elsewhere"))?,
            node: node.clone().unbind(),
        })
    }

    fn source(&self, channels: &Bound<'py, PyAny>) -> PyResult<Source> {
        if let Ok(single) = channels.cast::<PyString>() {
            let index = self.plan.channel_named(single.to_str()?);
            return index.map(Source::Value).ok_or_else(|| {
                PyValueError::new_err(format!("'{single}' is no channel of this graph"))
            });
        }
        let mut fields = Vec::new();
        for name in channels.try_iter()? {
            let name = name?.cast_into::<PyString>()?;
            match self.plan.channel_named(name.to_str()?) {
                Some(index) => fields.push((name.unbind(), Ok(index))),
                None => match self.managed.get_item(&name)? {
                    Some(managed) => fields.push((name.unbind(), Err(managed.unbind()))),
                    None => {
                        let message = format!("'{name}' is no channel of this graph");
                        return Err(PyValueError::new_err(message));
                    }
                },
            }
        }
        Ok(Source::Fields(fields))
    }

    fn body(&self, py: Python<'py>, bound: &Bound<'py, PyAny>) -> PyResult<Body> {
        let default = py.import(intern!(py, "langgraph_rust.pregel._build.read"))?;
        if bound.is(&default.getattr(intern!(py, "DEFAULT_BOUND"))?) {
            return Ok(Body::Pass);
        }
        if runs_natively(bound)? {
            return Ok(Body::Graph(bound.clone().unbind()));
        }
        let exact = bound.get_type().is(imports::runnable_callable(py)?);
        // Tracing makes no difference here: with a listener the node runs as a runnable anyway.
        let plain = exact
            && !bound.getattr(intern!(py, "explode_args"))?.is_truthy()?
            && !bound.getattr(intern!(py, "kwargs"))?.is_truthy()?;
        if !plain {
            return Ok(Body::Runnable(bound.clone().unbind()));
        }
        let function = |attribute: &str| -> PyResult<Option<Py<PyAny>>> {
            let value = bound.getattr(attribute)?;
            Ok((!value.is_none()).then(|| value.unbind()))
        };
        let (func, afunc) = (function("func")?, function("afunc")?);
        let utils = py.import(intern!(py, "langgraph_rust.pregel._build.utils"))?;
        let arguments = [func.as_ref(), afunc.as_ref()].map(|function| {
            function.map_or_else(|| py.None().into_bound(py), |function| function.bind(py).clone())
        });
        let on_loop = intern!(py, "called_on_loop");
        let on_loop = call_method(utils.as_any(), on_loop, &[&arguments[0], &arguments[1]])?;
        Ok(Body::Function {
            func,
            afunc: (!on_loop.is_none()).then(|| on_loop.unbind()),
            accepts: Accepts::read(&bound.getattr(intern!(py, "func_accepts"))?)?,
            recurse: bound.getattr(intern!(py, "recurse"))?.is_truthy()?,
            runnable: bound.clone().unbind(),
        })
    }
}

/// Whether the engine may run the node itself: a graph that brings nothing of its own that only the
/// Python front looks at. Whether its methods are its own is asked at each call.
fn runs_natively(bound: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = bound.py();
    let pregel = imports::pregel_type(py)?;
    if !bound.is_instance(pregel)? {
        return Ok(false);
    }
    let own = |name| -> PyResult<bool> { bound.getattr(name)?.is_truthy() };
    Ok(!own(intern!(py, "config"))? && bound.getattr(intern!(py, "cache"))?.is_none())
}

fn sorted_triggers(node: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let mut names: Vec<String> = node.getattr(intern!(node.py(), "triggers"))?.extract()?;
    names.sort();
    Ok(names)
}
