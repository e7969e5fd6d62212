-- Health of a TempestRun for Argo CD: Progressing until it ended, then Healthy, or Degraded with the reason.
local health = { status = "Progressing", message = "not seen by an operator yet" }
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(status.conditions) do
  if condition.type == "Reconciling" and condition.status == "True" then
    health.message = condition.message
    if condition.reason == "Suspended" then
      health.status = "Suspended"
    end
    return health
  end
  if condition.type == "Stalled" and condition.status == "True" then
    return { status = "Degraded", message = condition.reason .. ": " .. condition.message }
  end
  if condition.type == "Ready" and condition.status == "True" then
    health = { status = "Healthy", message = condition.message }
  end
end
return health
