"""The public interface: the names that providers in other packages use, and the conformance kit."""
