"""What stands between Avalanche's strategies and Lightning's Trainer; `raincheck.strategy` puts it together."""
