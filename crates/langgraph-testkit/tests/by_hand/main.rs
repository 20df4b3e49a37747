//! The engine moved by hand: what it says to single inputs, in situations that graphs and drivers
//! do not come into by themselves.

mod cancelling;
mod claiming;
mod ending;
mod failing;
mod hand;
mod holding;
mod joining;
mod showing;
