mod against_model;
mod model;
mod of_sources;
