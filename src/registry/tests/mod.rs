mod against_model;
mod bounds;
mod model;
mod replay;
