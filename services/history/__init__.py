"""History: takes over the incidents of another system, as it knew them and when it knew it."""
