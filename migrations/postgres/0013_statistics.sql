-- +goose Up

-- PostgreSQL gathers what its planner has to know by itself.
SELECT 1;
