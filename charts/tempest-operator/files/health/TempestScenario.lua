-- Health of a TempestScenario for Argo CD: Healthy if it can be played, or Degraded with what is wrong, and where.
local health = { status = "Progressing", message = "not seen by an operator yet" }
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(status.conditions) do
  if condition.type == "Valid" and condition.status == "True" then
    return { status = "Healthy", message = condition.message }
  end
  if condition.type == "Valid" and condition.status == "False" then
    return { status = "Degraded", message = condition.message }
  end
end
return health
