"""Tenants: an application for each name that a placeholder captures, made on first demand and kept while used."""
