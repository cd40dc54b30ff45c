"""The pages: report, cards and the site, from templates that share their looks."""
